#include <optional>

#include "base/clock.hpp"
#include "base/log.hpp"
#include "tests/fuzz/conversation.hpp"
#include "uplink/peer_session.hpp"

using namespace edgecam;

namespace {

class DeafAgent final : public uplink::CommandSink {
  public:
    void submit(const uplink::Command&) override {}
    void sessionEnded(uplink::SessionId) override {}
};

}  // namespace

// One message a line. Whatever a peer sends, what it hears is JSON, and it is told when it is wrong.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    startLog(LogLevel::error);
    const SystemClock clock;
    DeafAgent agent;
    uplink::AgentView view;
    view.cameras["cam"] = {.cameraId = "cam", .state = CameraState::live};
    const uplink::Access access({.tokens = {uplink::TokenRule::of("secret", uplink::Role::admin)}}, clock);
    const uplink::SessionLimits limits;
    const auto session = uplink::PeerSession::forViewer(
        1, limits, access, uplink::Grant{uplink::Role::admin, {}}, view, agent, clock);
    fuzz::converse(*session, fuzz::textOf(data, size), fuzz::Hears::textOnly);
    return 0;
}
