#include "tests/uplink/session_bench.hpp"

#include <doctest/doctest.h>
#include <rapidjson/schema.h>
#include <rapidjson/stringbuffer.h>

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <sstream>
#include <utility>

namespace edgecam::uplink::test {
namespace fs = std::filesystem;

fs::path protocolFolder() {
    const char* source = std::getenv("EDGECAM_SOURCE");
    return fs::path(source == nullptr ? "." : source) / "docs" / "protocol";
}

std::string readFile(const fs::path& path) {
    std::ifstream in(path, std::ios::binary);
    REQUIRE_MESSAGE(in.good(), path.string());
    std::ostringstream text;
    text << in.rdbuf();
    return std::move(text).str();
}

std::vector<fs::path> filesIn(const fs::path& folder, std::string_view extension) {
    std::vector<fs::path> found;
    for (const auto& entry : fs::directory_iterator(folder)) {
        if (entry.path().extension() == extension) found.push_back(entry.path());
    }
    std::ranges::sort(found);
    REQUIRE_FALSE(found.empty());
    return found;
}

struct WireSchema::Compiled {
    explicit Compiled(const JsonDocument& source) : schema(source) {}
    rapidjson::SchemaDocument schema;
};

WireSchema::WireSchema(const std::string& file) {
    const auto source = parseJson(readFile(protocolFolder() / file));
    REQUIRE_MESSAGE(source, file);
    compiled_ = std::make_unique<Compiled>(*source);
}

WireSchema::~WireSchema() = default;

std::optional<std::string> WireSchema::complaint(const JsonValue& message) const {
    rapidjson::SchemaValidator validator(compiled_->schema);
    if (message.Accept(validator)) return std::nullopt;
    rapidjson::StringBuffer place;
    validator.GetInvalidDocumentPointer().StringifyUriFragment(place);
    return std::string(place.GetString()) + " breaks " + validator.GetInvalidSchemaKeyword();
}

const WireSchema& messageSchema() {
    static const WireSchema schema("message.schema.json");
    return schema;
}

const WireSchema& requestSchema() {
    static const WireSchema schema("request.schema.json");
    return schema;
}

Chunk chunkOf(ChunkKind kind, RenditionId rendition, std::uint16_t channel, std::uint32_t sequence,
              std::size_t bytes) {
    Chunk chunk;
    chunk.kind = kind;
    chunk.rendition = rendition;
    chunk.channel = channel;
    chunk.sequence = sequence;
    chunk.captureTime = Utc(Microseconds(1'700'000'000'000'000 + 33'333 * std::int64_t{sequence}));
    chunk.payload = share(ByteBuffer(bytes, static_cast<std::uint8_t>(sequence)));
    return chunk;
}

Chunk initOf(RenditionId rendition, std::uint16_t channel, Size size) {
    Chunk chunk = chunkOf(ChunkKind::initSegment, rendition, channel, 0, 50);
    StreamFormat format;
    format.codecString = "avc1.64001f";
    format.mime = "video/mp4; codecs=\"avc1.64001f\"";
    format.size = size;
    format.frameRate = 30;
    format.kind = RenditionKind::passthrough;
    chunk.format = std::make_shared<const StreamFormat>(format);
    return chunk;
}

Chunk keyOf(RenditionId rendition, std::uint16_t channel, std::uint32_t sequence, std::size_t bytes) {
    Chunk chunk = chunkOf(ChunkKind::accessUnit, rendition, channel, sequence, bytes);
    chunk.keyFrame = true;
    return chunk;
}

Chunk deltaOf(RenditionId rendition, std::uint16_t channel, std::uint32_t sequence, std::size_t bytes) {
    return chunkOf(ChunkKind::accessUnit, rendition, channel, sequence, bytes);
}

FaceEvent faceOf(const std::string& cameraId, std::uint64_t track, FacePhase phase, float confidence) {
    FaceEvent event;
    event.eventId = "event-" + std::to_string(track) + "-" + nameOf(phase);
    event.cameraId = cameraId;
    event.phase = phase;
    event.trackId = track;
    event.timestamp = event.lastSeen = Utc(Microseconds(1'700'000'000'123'456));
    event.firstSeen = Utc(Microseconds(1'700'000'000'000'007));
    event.face.box = {0.123456789F, 0.25F, 0.1F, 0.2F};
    event.face.confidence = confidence;
    event.face.landmarks = Landmarks{{{0.1F, 0.2F}, {0.3F, 0.2F}, {0.2F, 0.3F}, {0.1F, 0.4F}, {0.3F, 0.4F}}};
    event.frame = {100, event.timestamp, {1280, 720}};
    return event;
}

CameraStatus cameraOf(const std::string& cameraId, CameraState state) {
    CameraStatus status;
    status.cameraId = cameraId;
    status.state = state;
    status.size = {1280, 720};
    status.frameRate = 30;
    status.detector = "yunet";
    return status;
}

UplinkStatus uplinkOf(const std::string& name, UplinkState state, const std::string& reason) {
    UplinkStatus status;
    status.name = status.url = name;
    status.state = state;
    status.reason = reason;
    status.attempts = 3;
    if (state == UplinkState::backingOff) status.retryAt = Utc(Microseconds(1'700'000'012'500'000));
    return status;
}

std::string Heard::str(const char* field) const {
    const auto member = data().FindMember(field);
    if (member == data().MemberEnd()) return "";
    return member->value.IsString() ? member->value.GetString() : toJson(member->value);
}

std::string Heard::id() const {
    return json->HasMember("id") ? toJson((*json)["id"]) : "";
}

SessionBench::SessionBench()
    : access(std::make_unique<Access>(
          AccessRules{.tokens = {TokenRule::of("viewer", Role::viewer),
                                 TokenRule::of("operator", Role::operator_),
                                 TokenRule::of("admin", Role::admin),
                                 TokenRule::of("door-only", Role::operator_, {"door"})}},
          *clock)) {
    view->agentId = "box-7";
    view->version = "0.1.0";
    view->instance = "a3c8e1d2";
    view->startedAt = clock->monotonic() - std::chrono::seconds(60);
    for (const char* cameraId : {"cam_123", "door"}) view->cameras[cameraId] = cameraOf(cameraId);
}

SessionBench SessionBench::viewer(SessionLimits limits) {
    SessionBench bench;
    bench.limits = limits;
    bench.session = bench.anotherViewer(9);
    return bench;
}

std::unique_ptr<PeerSession> SessionBench::anotherViewer(SessionId id) const {
    SessionOrigin origin{
        .registry = registry.get(),
        .revokeToken = [rules = access.get()](const Grant& grant) { return rules->revoke(grant); },
        .address = "192.0.2." + std::to_string(id)};
    return PeerSession::forViewer(id, limits, *access, std::nullopt, *view, *agent, *clock,
                                  std::move(origin));
}

SessionBench SessionBench::as(const std::string& token, SessionLimits limits) {
    SessionBench bench = viewer(limits);
    bench.say(R"({"type":"auth","token":")" + token + R"("})");
    REQUIRE(bench.session->authenticated());
    bench.hear();
    return bench;
}

SessionBench SessionBench::hub(HubCredentials credentials, SessionLimits limits) {
    SessionBench bench;
    bench.session =
        PeerSession::forHub(9, limits, credentials, *bench.view, *bench.agent, nullptr, *bench.clock);
    return bench;
}

void FakeJournal::add(FaceEvent event) {
    records.push_back({static_cast<std::int64_t>(records.size()) + 1, std::move(event), 500});
}

void FakeJournal::add(Gap gap) {
    records.push_back({gap.toSeq, std::move(gap), 100});
}

JournalPage FakeJournal::page(std::size_t most) const {
    REQUIRE_FALSE(asked.empty());
    JournalPage page;
    page.journal = name;
    page.after = asked.back().value_or(position);
    page.newest = records.empty() ? 0 : records.back().seq;
    for (const JournalRecord& record : records) {
        if (record.seq > page.after && page.records.size() < most) page.records.push_back(record);
    }
    return page;
}

SessionBench SessionBench::durableHub(const std::string& answer, int events, SessionLimits limits) {
    SessionBench bench;
    bench.view->journal = bench.journal->name;
    for (int i = 1; i <= events; ++i) {
        bench.journal->add(faceOf("cam_123", static_cast<std::uint64_t>(i), FacePhase::enter));
    }
    bench.view->journalNewest = events;
    bench.session =
        PeerSession::forHub(9, limits, {}, *bench.view, *bench.agent, bench.journal.get(), *bench.clock);
    CHECK(toJson((*bench.only("auth").json)["journal"]) == "\"j-1\"");
    bench.say(R"({"type":"system","event":"authenticated","data":)" + answer + "}");
    return bench;
}

void SessionBench::journalMoved() {
    view->journalNewest = journal->records.back().seq;
    session->journalMoved();
}

void SessionBench::serveJournal(std::size_t pageRecords) {
    for (std::size_t served = 0; served < journal->asked.size(); ++served) {
        const auto one = journal->asked;
        session->deliver(journal->page(pageRecords));
        if (journal->asked == one) break;
    }
    journal->asked.clear();
}

std::vector<Heard> SessionBench::hear(std::size_t most) {
    std::vector<Heard> heard;
    while (heard.size() < most) {
        const bool expected = session->hasOutput();
        const auto message = session->pop();
        REQUIRE(expected == message.has_value());
        if (!message) break;
        Heard& item = heard.emplace_back();
        item.binary = message->isBinary();
        if (item.binary) {
            const auto frame = parseFrame(message->bytes());
            REQUIRE(frame);
            item.header = frame->header;
            item.part.assign(frame->part.begin(), frame->part.end());
            continue;
        }
        const ByteView bytes = message->bytes();
        item.text.assign(reinterpret_cast<const char*>(bytes.data()), bytes.size());
        auto parsed = parseJson(item.text);
        REQUIRE_MESSAGE(parsed, item.text);
        item.json = std::make_shared<JsonDocument>(*std::move(parsed));
        const auto complaint = messageSchema().complaint(*item.json);
        REQUIRE_MESSAGE(!complaint, complaint.value_or(""), " in ", item.text);
        item.type = (*item.json)["type"].GetString();
        if (item.json->HasMember("event")) item.type += std::string("/") + (*item.json)["event"].GetString();
    }
    return heard;
}

Heard SessionBench::only(const std::string& type) {
    auto heard = hear();
    const auto types = typesOf(heard);
    REQUIRE(std::ranges::count(types, type) == 1);
    return *std::ranges::find(heard, type, &Heard::type);
}

void SessionBench::later(Microseconds step) {
    clock->advance(step);
    session->tick();
}

void SessionBench::play(const Chunk& chunk, std::size_t partBytes) {
    session->deliver(WireChunk{chunk, cutIntoParts(chunk, partBytes)});
}

StreamGrant SessionBench::grantOf(RenditionId rendition, std::uint16_t channel, std::uint32_t keySequence) {
    StreamGrant grant;
    grant.rendition = rendition;
    grant.quality = "source";
    grant.backlog.chunks = {initOf(rendition, channel), keyOf(rendition, channel, keySequence)};
    grant.backlog.liveFrom = grant.backlog.chunks.back().captureTime;
    return grant;
}

void SessionBench::finish(const Outcome& outcome) {
    REQUIRE_FALSE(agent->commands.empty());
    session->complete(agent->commands.back().ticket, outcome);
}

std::vector<Heard> SessionBench::startVideo() {
    say(R"({"type":"stream_control","action":"start","camera_id":"cam_123","id":1})");
    finish(grantOf(5, 1, 100));
    return hear();
}

std::vector<std::string> typesOf(const std::vector<Heard>& heard) {
    std::vector<std::string> types;
    for (const Heard& item : heard) types.push_back(item.binary ? "binary" : item.type);
    return types;
}

}  // namespace edgecam::uplink::test
