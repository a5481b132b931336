// OwnCertificate: the certificate that the box makes for itself when nobody gave it one, kept in a folder
// over restarts: browsers that were told to trust it go on doing so. Knows no socket.
#pragma once

#include <string>
#include <vector>

#include "base/result.hpp"
#include "uplink/tls_settings.hpp"

namespace edgecam::uplink {

/// Where it lies in `folder`, made or not.
ServerTls ownCertificateFiles(const std::string& folder);

/// The files of the certificate in `folder`; made when there is none: EC P-256, signed by itself, for
/// localhost, the loopback addresses, `hostName` with and without .local, and `address` when it is a single
/// one. It does not end, since a box may not know the time when it makes it. The key's mode is 0600. Blocks
/// on the disk.
Result<ServerTls> ownCertificate(const std::string& folder, const std::string& hostName,
                                 const std::string& address);

}  // namespace edgecam::uplink
