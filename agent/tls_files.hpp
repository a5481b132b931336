// TlsFiles: whether the certificates and keys that a config names can be used; each error begins with the
// place in the config. Blocks on the disk, opens no socket.
#pragma once

#include <string>

#include "agent/config.hpp"
#include "base/clock.hpp"
#include "base/result.hpp"

namespace edgecam::agent {

/// All of them, as `edgecam check` holds against a config: that they can be read, fit one another and are
/// valid at `now`.
Result<void> checkTlsFiles(const Config& config, Utc now);
/// Those of one uplink, which is at `where` in the config.
Result<void> checkUplinkTls(const UplinkConfig& uplink, const std::string& where, Utc now);

/// What the local server serves with; its own certificate is made in `dataDir` where that is wanted and
/// absent. One that is not valid at `now` is an error in the log and no failure: the box may not know the
/// time yet, and a viewer who can be warned is better off than one who finds no box.
Result<uplink::ServerTls> serverTls(const ServerConfig& server, const std::string& dataDir, Utc now);

/// Says in the log that a server without TLS can be read along with, where it is not for this machine alone.
void warnOfPlain(const ServerConfig& server);

}  // namespace edgecam::agent
