#include <cstddef>
#include <cstdint>

#include "base/clock.hpp"
#include "base/log.hpp"
#include "tests/fuzz/conversation.hpp"
#include "uplink/peer_session.hpp"

using namespace edgecam;

namespace {

constexpr std::int64_t kNewest = 7;

class DeafAgent final : public uplink::CommandSink {
  public:
    void submit(const uplink::Command& command) override {
        // Nothing a hub says raises its role.
        if (command.role > uplink::Role::operator_) __builtin_trap();
    }
    void sessionEnded(uplink::SessionId) override {}
};

class DeafJournal final : public uplink::JournalLine {
  public:
    void read(uplink::SessionId, std::optional<std::int64_t>) override {}
    void readSnapshot(uplink::SessionId, std::int64_t) override {}
    void passed(const std::string&, std::int64_t seq) override {
        // A hub may say what it has from before, but not more than there is.
        if (seq > kNewest) __builtin_trap();
    }
};

}  // namespace

// One message a line, as a hub may say it. Whatever comes, the agent says JSON, and its journal stays whole.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    startLog(LogLevel::error);
    const SystemClock clock;
    DeafAgent agent;
    DeafJournal journal;
    uplink::AgentView view;
    view.cameras["cam"] = {.cameraId = "cam", .state = CameraState::live};
    view.journal = "j-1";
    view.journalNewest = kNewest;
    const uplink::HubCredentials hub{.token = "secret", .start = {"cam"}};
    const auto session = uplink::PeerSession::forHub(1, {}, hub, view, agent, &journal, clock);
    fuzz::converse(*session, fuzz::textOf(data, size), fuzz::Hears::binaryToo);
    return 0;
}
