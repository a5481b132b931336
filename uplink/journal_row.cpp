#include "uplink/journal_row.hpp"

#include <bit>
#include <random>

#include "uplink/event_story.hpp"

namespace edgecam::uplink {
namespace {

constexpr std::size_t kUuidBytes = 16;
constexpr std::size_t kUuidText = 36;

bool dashBefore(std::size_t byte) {
    return byte == 4 || byte == 6 || byte == 8 || byte == 10;
}

void put(ByteWriter& out, float value) {
    out.u32(std::bit_cast<std::uint32_t>(value));
}

ByteBuffer bytesOf(const Face& face) {
    ByteBuffer bytes;
    ByteWriter out(bytes);
    for (const float value : {face.box.x, face.box.y, face.box.width, face.box.height, face.confidence}) {
        put(out, value);
    }
    if (face.landmarks) {
        for (const PointNorm& point : *face.landmarks) {
            put(out, point.x);
            put(out, point.y);
        }
    }
    return bytes;
}

/// Reads singles; past the end it gives 0 and remembers.
class Singles {
  public:
    explicit Singles(ByteView bytes) : in_(bytes) {}
    float next() {
        const auto bits = in_.u32();
        if (!bits) short_ = true;
        return std::bit_cast<float>(bits.value_or(0));
    }
    [[nodiscard]] bool atEnd() const { return in_.remaining() == 0; }
    [[nodiscard]] bool exact() const { return !short_ && atEnd(); }

  private:
    ByteReader in_;
    bool short_ = false;
};

std::optional<Face> faceOf(ByteView bytes) {
    Singles in(bytes);
    Face face;
    for (float* value : {&face.box.x, &face.box.y, &face.box.width, &face.box.height, &face.confidence}) {
        *value = in.next();
    }
    if (!in.atEnd()) {
        for (PointNorm& point : face.landmarks.emplace()) {
            point.x = in.next();
            point.y = in.next();
        }
    }
    if (!in.exact()) return std::nullopt;
    return face;
}

}  // namespace

EventRow::EventRow(const FaceEvent& event)
    : event_(event), uuid_(uuidBytes(event.eventId)), face_(bytesOf(event.face)), story_(storyOf(event)) {}

Statement& EventRow::bindTo(Statement& statement, std::int64_t seq) const {
    const auto since = [this](Utc time) { return (time - event_.timestamp).count(); };
    statement.with(seq, static_cast<std::int64_t>(event_.phase));
    if (uuid_) {
        statement.bind(ByteView(*uuid_));
    } else {
        statement.bind(std::string_view(event_.eventId));
    }
    statement.bind(std::string_view(event_.cameraId));
    for (const std::int64_t value :
         {static_cast<std::int64_t>(event_.trackId), event_.timestamp.time_since_epoch().count(),
          static_cast<std::int64_t>(event_.clockSynced), since(event_.firstSeen), since(event_.lastSeen)}) {
        statement.bind(value);
    }
    statement.bind(ByteView(face_));
    for (const std::int64_t value :
         {static_cast<std::int64_t>(event_.frame.sequence), since(event_.frame.captureTime),
          static_cast<std::int64_t>(event_.frame.size.width),
          static_cast<std::int64_t>(event_.frame.size.height)}) {
        statement.bind(value);
    }
    statement.bind(ByteView(story_));
    return statement;
}

std::int64_t EventRow::storedBytes() const {
    return static_cast<std::int64_t>((uuid_ ? kUuidBytes : event_.eventId.size()) + event_.cameraId.size() +
                                     face_.size() + story_.size() + 48);
}

std::optional<FaceEvent> eventOf(const Statement& row, int first) {
    FaceEvent event;
    const std::int64_t phase = row.integer(first);
    auto face = faceOf(row.bytes(first + 8));
    const bool byUuid = row.isBytes(first + 1);
    if (phase < 0 || phase > 2 || !face || (byUuid && row.bytes(first + 1).size() != kUuidBytes)) {
        return std::nullopt;
    }
    event.phase = static_cast<FacePhase>(phase);
    event.eventId = byUuid ? uuidText(row.bytes(first + 1)) : std::string(row.text(first + 1));
    event.cameraId = row.text(first + 2);
    event.trackId = static_cast<std::uint64_t>(row.integer(first + 3));
    event.timestamp = Utc(Microseconds(row.integer(first + 4)));
    event.clockSynced = row.integer(first + 5) != 0;
    event.firstSeen = event.timestamp + Microseconds(row.integer(first + 6));
    event.lastSeen = event.timestamp + Microseconds(row.integer(first + 7));
    event.face = *face;
    event.frame.sequence = static_cast<std::uint32_t>(row.integer(first + 9));
    event.frame.captureTime = event.timestamp + Microseconds(row.integer(first + 10));
    event.frame.size = {static_cast<int>(row.integer(first + 11)), static_cast<int>(row.integer(first + 12))};
    if (!addStory(event, row.bytes(first + 13))) return std::nullopt;
    return event;
}

std::size_t wireBytes(const FaceEvent& event) {
    // Measured on the examples of docs/protocol: keys, punctuation and numbers of usual lengths.
    constexpr std::size_t kPathPoint = 28;
    std::size_t bytes = 480 + event.eventId.size() + event.cameraId.size() + (event.face.landmarks ? 120 : 0);
    for (const auto* names : {&event.zones, &event.zonesEntered, &event.zonesLeft}) {
        for (const std::string& name : *names) bytes += name.size() + 8;
    }
    return bytes + (event.best ? 170 : 0) + kPathPoint * event.path.size();
}

std::optional<ByteBuffer> uuidBytes(std::string_view text) {
    if (text.size() != kUuidText) return std::nullopt;
    ByteBuffer bytes;
    std::size_t at = 0;
    const auto nibble = [&]() -> int {
        const char digit = text[at++];
        if (digit >= '0' && digit <= '9') return digit - '0';
        return digit >= 'a' && digit <= 'f' ? digit - 'a' + 10 : -1;
    };
    for (std::size_t i = 0; i < kUuidBytes; ++i) {
        if (dashBefore(i) && text[at++] != '-') return std::nullopt;
        const int high = nibble();
        const int low = nibble();
        if (high < 0 || low < 0) return std::nullopt;
        bytes.push_back(static_cast<std::uint8_t>(high << 4 | low));
    }
    return bytes;
}

std::string uuidText(ByteView bytes) {
    constexpr const char* kDigits = "0123456789abcdef";
    std::string text;
    for (std::size_t i = 0; i < bytes.size(); ++i) {
        if (dashBefore(i)) text += '-';
        text += kDigits[bytes[i] >> 4];
        text += kDigits[bytes[i] & 15];
    }
    return text;
}

std::string randomUuid() {
    std::random_device device;
    ByteBuffer bytes;
    ByteWriter out(bytes);
    for (int i = 0; i < 4; ++i) out.u32(device());
    bytes[6] = static_cast<std::uint8_t>((bytes[6] & 0x0f) | 0x40);  // RFC 4122: version 4,
    bytes[8] = static_cast<std::uint8_t>((bytes[8] & 0x3f) | 0x80);  // variant 1
    return uuidText(bytes);
}

}  // namespace edgecam::uplink
