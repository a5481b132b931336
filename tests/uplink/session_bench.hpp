// What the tests of the wire contract share: an agent and a peer around one PeerSession, with a clock that
// stands still. Everything the peer hears is checked against docs/protocol/message.schema.json.
#pragma once

#include <doctest/doctest.h>

#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.hpp"
#include "tests/support/fake_clock.hpp"
#include "uplink/frame_header.hpp"
#include "uplink/peer_session.hpp"

namespace edgecam::uplink::test {

using edgecam::test::FakeClock;

/// docs/protocol of the source tree.
std::filesystem::path protocolFolder();
std::string readFile(const std::filesystem::path& path);
std::vector<std::filesystem::path> filesIn(const std::filesystem::path& folder, std::string_view extension);

/// One of the schemas of docs/protocol.
class WireSchema {
  public:
    explicit WireSchema(const std::string& file);
    ~WireSchema();
    /// Nothing, or where and why the message does not keep to it.
    [[nodiscard]] std::optional<std::string> complaint(const JsonValue& message) const;

  private:
    struct Compiled;
    std::unique_ptr<Compiled> compiled_;
};
const WireSchema& messageSchema();
const WireSchema& requestSchema();

/// A chunk with a payload of `bytes` bytes, all of them `sequence`'s lowest byte.
Chunk chunkOf(ChunkKind kind, RenditionId rendition, std::uint16_t channel, std::uint32_t sequence,
              std::size_t bytes = 100);
Chunk initOf(RenditionId rendition, std::uint16_t channel, Size size = {1280, 720});
Chunk keyOf(RenditionId rendition, std::uint16_t channel, std::uint32_t sequence, std::size_t bytes = 100);
Chunk deltaOf(RenditionId rendition, std::uint16_t channel, std::uint32_t sequence, std::size_t bytes = 100);
FaceEvent faceOf(const std::string& cameraId, std::uint64_t track, FacePhase phase, float confidence = 0.9F);
CameraStatus cameraOf(const std::string& cameraId, CameraState state = CameraState::live);
UplinkStatus uplinkOf(const std::string& name, UplinkState state, const std::string& reason = {});

/// The agent: remembers every command, and answers where a test told it how.
class FakeAgent final : public CommandSink {
  public:
    void submit(const Command& command) override {
        commands.push_back(command);
        if (onSubmit) onSubmit(command);
    }
    void sessionEnded(SessionId session) override { ended.push_back(session); }

    /// The last command's action, which must be an Action.
    template <class Action>
    [[nodiscard]] Action last() const {
        if (commands.empty()) return {};
        const auto* action = std::get_if<Action>(&commands.back().action);
        return action == nullptr ? Action{} : *action;
    }
    template <class Action>
    [[nodiscard]] std::size_t count() const {
        std::size_t found = 0;
        for (const Command& command : commands) {
            if (std::holds_alternative<Action>(command.action)) ++found;
        }
        return found;
    }

    std::vector<Command> commands;
    std::vector<SessionId> ended;
    std::function<void(const Command&)> onSubmit;
};

/// A journal in memory, which answers when it is told to: records 1, 2, ... of the journal "j-1".
class FakeJournal final : public JournalLine {
  public:
    void read(SessionId, std::optional<std::int64_t> after) override { asked.push_back(after); }
    void readSnapshot(SessionId, std::int64_t seq) override { snapshotsAsked.push_back(seq); }
    void passed(const std::string& journal, std::int64_t seq) override {
        CHECK(journal == name);
        position = seq;
    }
    void add(FaceEvent event);
    void add(Gap gap);
    /// What the last read asks for, at most `most` records; where nothing was said, after `position`.
    [[nodiscard]] JournalPage page(std::size_t most = 64) const;

    std::string name = "j-1";
    std::vector<JournalRecord> records;
    std::vector<std::optional<std::int64_t>> asked;
    std::vector<std::int64_t> snapshotsAsked;
    std::int64_t position = 0;
};

/// One message as the peer gets it.
struct Heard {
    bool binary = false;
    std::string type;  ///< of text: "system/status" with an event
    std::string text;
    std::shared_ptr<JsonDocument> json;
    FrameHeader header;
    ByteBuffer part;

    [[nodiscard]] const JsonValue& data() const { return (*json)["data"]; }
    [[nodiscard]] std::string str(const char* field) const;  ///< of data; "" where absent
    [[nodiscard]] std::string id() const;                    ///< as JSON; "" where absent
};

/// Two cameras, "cam_123" and "door"; tokens "viewer", "operator", "admin" and "door-only" (an operator's).
class SessionBench {
  public:
    SessionBench();

    static SessionBench viewer(SessionLimits limits = {});
    /// Authenticated, with what was said about it taken out.
    static SessionBench as(const std::string& token, SessionLimits limits = {});
    static SessionBench hub(HubCredentials credentials, SessionLimits limits = {});
    /// A hub with that answer to `auth`, at a journal with `events` events of as many tracks.
    static SessionBench durableHub(const std::string& answer, int events = 0, SessionLimits limits = {});
    /// The journal committed something: tells the session.
    void journalMoved();
    /// Answers reads as long as the session asks.
    void serveJournal(std::size_t pageRecords = 64);

    /// Another viewer of the same agent, from 192.0.2.ID.
    [[nodiscard]] std::unique_ptr<PeerSession> anotherViewer(SessionId id) const;

    void say(std::string_view text) { session->receiveText(text); }
    /// Fails the test where a message breaks the schema.
    std::vector<Heard> hear(std::size_t most = 10'000);
    /// Everything waiting, of which exactly one must be of that type.
    Heard only(const std::string& type);
    void later(Microseconds step);
    void play(const Chunk& chunk, std::size_t partBytes = 64 << 10);
    /// Starts cam_123 and grants rendition 5 on channel 1: init segment and key frame 100.
    std::vector<Heard> startVideo();
    static StreamGrant grantOf(RenditionId rendition, std::uint16_t channel, std::uint32_t keySequence);
    void finish(const Outcome& outcome);  ///< of the last command

    SessionLimits limits;
    std::unique_ptr<FakeClock> clock = std::make_unique<FakeClock>();
    std::unique_ptr<AgentView> view = std::make_unique<AgentView>();
    std::unique_ptr<FakeAgent> agent = std::make_unique<FakeAgent>();
    std::unique_ptr<FakeJournal> journal = std::make_unique<FakeJournal>();
    std::unique_ptr<Access> access;
    std::unique_ptr<SessionRegistry> registry = std::make_unique<SessionRegistry>();
    std::unique_ptr<PeerSession> session;
};

std::vector<std::string> typesOf(const std::vector<Heard>& heard);

}  // namespace edgecam::uplink::test
