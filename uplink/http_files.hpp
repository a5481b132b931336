// HttpFiles: which file of the page a URL path means, and the headers every answer over HTTP carries. A path
// names a file only if every part of it is plain and its ending is on the list; everything else does not
// exist. Knows no socket.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace edgecam::uplink {

struct PageFile {
    std::string path;  ///< canonical, inside the root
    std::string mime;
};

/// Looks at the disk. `root` is the folder of the page; empty: there is none. `urlPath` is decoded, without
/// the query; a path that ends in "/" means its index.html. Names that begin with a dot, endings not on the
/// list and links that lead out of the root are not found.
std::optional<PageFile> findPageFile(const std::string& root, std::string_view urlPath);

/// Header lines, each with CR LF, for a file of the page: no sniffing, no framing, no referrer, no script or
/// style within the page, nothing from elsewhere and no connection but to `host`, the request's own header.
std::string pageHeaders(std::string_view host);

/// A whole answer with a body, after which the connection closes. `withBody` false: for HEAD. `more`: header
/// lines, each with CR LF.
std::string plainAnswer(int status, std::string_view mime, std::string_view body, bool withBody = true,
                        std::string_view more = {});

}  // namespace edgecam::uplink
