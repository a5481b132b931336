// HubUrl: where a hub is, read from the config's URL. Pure.
#pragma once

#include <string>

#include "base/result.hpp"

namespace edgecam::uplink {

struct HubUrl {
    bool secure = false;
    std::string host;  ///< name or address, an IPv6 one without brackets
    int port = 0;
    std::string path;   ///< with the query, starts with '/'
    std::string shown;  ///< for people and logs: without the query, which may hold a secret

    /// "host" or "host:port" as a Host header has it.
    [[nodiscard]] std::string authority() const;
    bool operator==(const HubUrl&) const = default;
};

/// ws://HOST[:PORT][/PATH][?QUERY] or wss://…; default ports 80 and 443 (RFC 6455 section 3). A user name or
/// a fragment is an error: credentials have a place of their own in the config. No error quotes the text.
Result<HubUrl> parseHubUrl(const std::string& text);

}  // namespace edgecam::uplink
