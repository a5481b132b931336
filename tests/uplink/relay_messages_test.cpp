// What crosses between the agent and the process of its viewers: the same values come out, and bytes that do
// not add up are nothing.
#include "uplink/relay_messages.hpp"

#include <doctest/doctest.h>

#include <string>
#include <variant>

#include "tests/uplink/session_bench.hpp"
#include "tests/uplink/signing_key.hpp"

using namespace std::chrono_literals;
using namespace edgecam;
using namespace edgecam::uplink;
using namespace edgecam::uplink::test;

namespace {

template <class Kind, class Message>
Kind through(const Message& message) {
    std::optional<Message> read;
    if constexpr (std::is_same_v<Message, ToViewers>) {
        read = toViewersFrom(toBytes(message));
    } else {
        read = toAgentFrom(toBytes(message));
    }
    REQUIRE(read);
    REQUIRE(std::holds_alternative<Kind>(*read));
    return std::get<Kind>(*read);
}

template <class Kind>
Kind sent(const Kind& message) {
    return through<Kind>(ToViewers(message));
}
template <class Kind>
Kind asked(const Kind& message) {
    return through<Kind>(ToAgent(message));
}

}  // namespace

TEST_CASE("a chunk comes out as it went in, its bytes and its format too") {
    Chunk chunk = initOf(5, 1, {1280, 720});
    chunk.madeAt = Monotonic(7s);
    const Chunk read = sent(chunk);
    CHECK(read.rendition == 5);
    CHECK(read.kind == ChunkKind::initSegment);
    CHECK(*read.payload == *chunk.payload);
    CHECK(read.captureTime == chunk.captureTime);
    CHECK(read.madeAt == Monotonic(7s));
    REQUIRE(read.format);
    CHECK(read.format->codecString == chunk.format->codecString);
    CHECK(read.format->size == Size{1280, 720});
    CHECK_FALSE(sent(Chunk{}).payload);
}

TEST_CASE("faces, statuses and figures come out as they went in") {
    const FaceEvent event = faceOf("door", 7, FacePhase::leave, 0.75F);
    const FaceEvent face = sent(event);
    CHECK(face.eventId == event.eventId);
    CHECK(face.phase == FacePhase::leave);
    CHECK(face.face.confidence == 0.75F);
    CHECK(face.face.box == event.face.box);
    CHECK(face.lastSeen == event.lastSeen);
    CHECK(face.face.landmarks.has_value() == event.face.landmarks.has_value());

    const UplinkStatus uplink{
        .name = "hub", .state = UplinkState::backingOff, .reason = "why", .retryIn = 3s};
    CHECK(sent(uplink).saysTheSameAs(uplink));
    CHECK(sent(cameraOf("door", CameraState::error)).state == CameraState::error);

    RelayFigures news;
    news.figures.cameras["door"].events = {1, 2, 3};
    news.figures.cameras["door"].encodedDelays.coded.add(9ms);
    news.figures.process.cpuSeconds = 1.5;
    news.figures.journal = JournalStatus{.ok = false, .trouble = "disk full", .records = -1};
    const AgentFigures figures = sent(news).figures;
    CHECK(figures.cameras.at("door").events[2] == 3);
    CHECK(figures.cameras.at("door").encodedDelays == news.figures.cameras["door"].encodedDelays);
    CHECK(figures.process.cpuSeconds == 1.5);
    RelayUse use;
    use.figures.video.queue.add(2ms);
    use.figures.video.socket.add(80ms);
    use.figures.eventAcks.add(1s);
    const ServiceFigures counted = asked(use).figures;
    CHECK(counted.video.queue == use.figures.video.queue);
    CHECK(counted.video.socket == use.figures.video.socket);
    CHECK(counted.eventAcks == use.figures.eventAcks);
    CHECK(figures.journal->trouble == "disk full");
    CHECK(figures.journal->records == -1);
}

TEST_CASE("every outcome and every action comes out as what it was") {
    const auto outcome = [](const Outcome& given) { return sent(RelayCompletion{3, 4, given}).outcome; };
    CHECK(std::holds_alternative<Done>(outcome(Done{})));
    CHECK(std::get<Refusal>(outcome(Refusal{ErrorCode::busy, "m", "f"})).code == ErrorCode::busy);
    const auto grant = std::get<StreamGrant>(outcome(SessionBench::grantOf(5, 1, 100)));
    CHECK(grant.rendition == 5);
    CHECK(grant.backlog.chunks.size() == SessionBench::grantOf(5, 1, 100).backlog.chunks.size());
    CHECK(std::get<Report>(outcome(Report{"{}"})).json == "{}");
    CHECK(std::get<TokenRotated>(outcome(TokenRotated{.token = "t", .oldHoldsFor = 60s})).oldHoldsFor == 60s);

    Command command{.session = 9, .ticket = 2, .cameraId = "door", .action = {}, .role = Role::admin};
    command.expiresAt = Monotonic(5s);
    SetQuality quality{.mode = "custom"};
    quality.width = 640;
    quality.frameRate = 12.5;
    command.action = quality;
    const Command read = asked(command);
    CHECK(read.role == Role::admin);
    CHECK(read.expiresAt == Monotonic(5s));
    CHECK(std::get<SetQuality>(read.action).frameRate == 12.5);
    CHECK_FALSE(std::get<SetQuality>(read.action).height);
    command.action = StartStream{.form = StreamForm::jpeg, .codecs = {"avc1"}};
    CHECK(std::get<StartStream>(asked(command).action).codecs == std::vector<std::string>{"avc1"});
    command.action = AskConfig{ConfigAction::apply, R"({"cameras":[]})", 5s, "chief"};
    CHECK(std::get<AskConfig>(asked(command).action).action == ConfigAction::apply);
    CHECK(std::get<AskConfig>(asked(command).action).candidate == R"({"cameras":[]})");
    CHECK(std::get<AskConfig>(asked(command).action).trial == 5s);
    CHECK(std::get<AskConfig>(asked(command).action).by == "chief");
    command.action = AskProbe{"test://bars"};
    CHECK(std::get<AskProbe>(asked(command).action).source == "test://bars");
    command.action = AskDiagnostics{};
    CHECK(std::holds_alternative<AskDiagnostics>(asked(command).action));
    command.action = RotateToken{};
    CHECK(std::holds_alternative<RotateToken>(asked(command).action));
}

TEST_CASE("the rules let the same people in over there, and say no token") {
    const auto signer = SigningKey::es256();
    const FakeClock clock;
    AccessRules rules{
        .tokens = {TokenRule::of("secret", Role::operator_, {"door"})}, .keys = {}, .revoked = {}};
    rules.keys.push_back({.name = "console",
                          .publicKey = signer.publicKey(),
                          .audience = "box-7",
                          .issuer = {},
                          .most = Role::admin,
                          .cameras = {}});
    rules.revoked.push_back({TokenHash::of("gone"), std::nullopt});
    const ByteBuffer bytes = toBytes(ToViewers(relayedRules(rules)));
    CHECK(std::string(bytes.begin(), bytes.end()).find("secret") == std::string::npos);
    const auto read = sent(relayedRules(rules));
    const Access there({read.tokens, keysOf(read), read.revoked}, clock);
    REQUIRE(there.check("secret"));
    CHECK(there.check("secret")->cameras == std::vector<std::string>{"door"});
    CHECK_FALSE(there.check("other"));
    const auto end =
        std::chrono::duration_cast<std::chrono::seconds>(clock.utc().time_since_epoch()).count() + 60;
    const auto token = signer.sign(R"({"aud":"box-7","role":"admin","exp":)" + std::to_string(end) + "}");
    CHECK(there.check(token)->role == Role::admin);
    CHECK(asked(RelayRevocation{*there.check(token)}).grant.token == there.check(token)->token);
    CHECK(read.revoked[0].token.matches("gone"));
}

TEST_CASE("how to serve and how everything stands") {
    SessionBench bench;
    RelaySetup setup{.settings = {}, .view = *bench.view, .partBytes = 65536, .rules = {}, .firstSession = 7};
    setup.settings.allowedHosts = {"box.example"};
    setup.settings.session.commandsPerSecond = 2.5;
    setup.view.liveFaces["door"][3] = faceOf("door", 3, FacePhase::enter);
    const RelaySetup read = sent(setup);
    CHECK(read.settings.allowedHosts == setup.settings.allowedHosts);
    CHECK(read.settings.session.commandsPerSecond == 2.5);
    CHECK(read.view.cameras.size() == 2);
    CHECK(read.view.startedAt == bench.view->startedAt);
    CHECK(read.view.liveFaces.at("door").at(3).trackId == 3);
    CHECK(read.firstSession == 7);
}

TEST_CASE("bytes that are cut off, too many or of no kind are nothing") {
    const ByteBuffer good =
        toBytes(ToAgent(RelayUse{{}, {SessionEntry{.id = 3, .grant = {}, .address = "a"}}}));
    REQUIRE(toAgentFrom(good));
    for (std::size_t size = 0; size < good.size(); ++size)
        CHECK_FALSE(toAgentFrom(ByteView(good).first(size)));
    ByteBuffer longer = good;
    longer.push_back(0);
    CHECK_FALSE(toAgentFrom(longer));
    ByteBuffer foreign = good;
    foreign[7] = 99;
    CHECK_FALSE(toAgentFrom(foreign));
    // A list of more entries than there are bytes.
    ByteBuffer huge = toBytes(ToAgent(RelayReady{"trouble"}));
    for (std::size_t i = 8; i < 16; ++i) huge[i] = 0xff;
    CHECK_FALSE(toAgentFrom(huge));
}

TEST_CASE("what is gone, and another log level, come out as they went in") {
    CHECK(sent(RelayCameraRemoved{"door"}).cameraId == "door");
    CHECK(sent(RelayUplinkRemoved{"hub/media"}).id == "hub/media");
    CHECK(sent(RelayLogLevel{LogLevel::debug}).least == LogLevel::debug);
}
