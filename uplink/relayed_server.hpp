// RelayedServer: the local server in a process of its own, so that nothing a stranger sends can stop capture,
// journal and uplinks: a crash there is a connection lost here, and it is started again. To the rest of the
// agent it is a LocalServer like the other. Knows no libwebsockets.
#pragma once

#include <functional>
#include <memory>

#include "uplink/local_server.hpp"
#include "uplink/viewers_child.hpp"

namespace edgecam::uplink {

/// As LocalServer::start(); binds here and serves there. The functions of `settings` are called on a thread
/// of the server's, here. Blocks until the other process serves, for 20 s at most.
Result<std::unique_ptr<LocalServer>> startRelayedServer(LocalServerSettings settings, ViewersProgram program,
                                                        Access& access, PeerExchange& exchange,
                                                        CommandSink& commands, const Clock& clock,
                                                        std::function<LocalServer::Health()> health);

/// The other process's whole life: serves until the agent says farewell, or is gone, or is silent for
/// kAgentSilence: then a picture that stands still should not look alive. Returns the exit status.
int serveViewers();
inline constexpr Microseconds kAgentSilence = std::chrono::seconds(6);

}  // namespace edgecam::uplink
