#include <optional>
#include <string_view>

#include "base/clock.hpp"
#include "base/json.hpp"
#include "base/log.hpp"
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
    std::string_view rest(reinterpret_cast<const char*>(data), size);
    while (!rest.empty()) {
        const auto end = rest.find('\n');
        session->receiveText(rest.substr(0, end));
        rest = end == std::string_view::npos ? std::string_view() : rest.substr(end + 1);
    }
    session->tick();
    while (const auto message = session->pop()) {
        const ByteView bytes = message->bytes();
        if (message->isBinary()) __builtin_trap();
        if (!parseJson({reinterpret_cast<const char*>(bytes.data()), bytes.size()})) __builtin_trap();
    }
    return 0;
}
