// What the agent's program does as `edgecam viewers`, for a test that has no agent.
#include "base/log.hpp"
#include "uplink/relayed_server.hpp"

int main() {
    edgecam::startLog(edgecam::LogLevel::error);
    return edgecam::uplink::serveViewers();
}
