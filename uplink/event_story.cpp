#include "uplink/event_story.hpp"

#include <algorithm>
#include <bit>
#include <string>
#include <vector>

namespace edgecam::uplink {
namespace {

constexpr std::size_t kMostNames = 255;
constexpr std::size_t kLongestName = 65535;

class Writer {
  public:
    explicit Writer(ByteBuffer& out) : out_(out) {}

    void single(float value) { out_.u32(std::bit_cast<std::uint32_t>(value)); }
    void names(const std::vector<std::string>& of) {
        const std::size_t count = std::min(of.size(), kMostNames);
        out_.u8(static_cast<std::uint8_t>(count));
        for (std::size_t i = 0; i < count; ++i) {
            const auto name = std::string_view(of[i]).substr(0, kLongestName);
            out_.u16(static_cast<std::uint16_t>(name.size()));
            out_.bytes(name);
        }
    }
    void best(const BestShot& shot) {
        single(shot.quality);
        for (const float side : {shot.box.x, shot.box.y, shot.box.width, shot.box.height}) single(side);
        out_.u32(shot.frame.sequence);
        out_.u64(static_cast<std::uint64_t>(shot.frame.captureTime.time_since_epoch().count()));
        out_.u32(static_cast<std::uint32_t>(shot.frame.size.width));
        out_.u32(static_cast<std::uint32_t>(shot.frame.size.height));
    }
    void path(const std::vector<PathPoint>& points) {
        const std::size_t count = std::min(points.size(), FaceEvent::kMostPathPoints);
        out_.u8(static_cast<std::uint8_t>(count));
        for (std::size_t i = 0; i < count; ++i) {
            single(points[i].centre.x);
            single(points[i].centre.y);
            out_.u64(static_cast<std::uint64_t>(points[i].since.count()));
        }
    }
    void snapshot(const Snapshot& of) {
        out_.u16(static_cast<std::uint16_t>(of.size.width));
        out_.u16(static_cast<std::uint16_t>(of.size.height));
        out_.u32(static_cast<std::uint32_t>(of.bytes));
    }
    void flag(bool value) { out_.u8(value ? 1 : 0); }

  private:
    ByteWriter out_;
};

/// Past the end everything is 0 or empty, and it remembers.
class Reader {
  public:
    explicit Reader(ByteView in) : in_(in) {}

    float single() { return std::bit_cast<float>(taken(in_.u32())); }
    std::uint32_t number() { return taken(in_.u32()); }
    std::int64_t wide() { return static_cast<std::int64_t>(taken(in_.u64())); }
    std::uint8_t byte() { return taken(in_.u8()); }
    std::vector<std::string> names() {
        std::vector<std::string> all;
        for (int left = byte(); left > 0 && !short_; --left) {
            const auto bytes = in_.bytes(taken(in_.u16()));
            if (!bytes) short_ = true;
            if (bytes) all.emplace_back(reinterpret_cast<const char*>(bytes->data()), bytes->size());
        }
        return all;
    }
    BestShot best() {
        BestShot shot;
        shot.quality = single();
        for (float* side : {&shot.box.x, &shot.box.y, &shot.box.width, &shot.box.height}) *side = single();
        shot.frame.sequence = number();
        shot.frame.captureTime = Utc(Microseconds(wide()));
        shot.frame.size.width = static_cast<int>(number());
        shot.frame.size.height = static_cast<int>(number());
        return shot;
    }
    std::vector<PathPoint> path() {
        std::vector<PathPoint> points;
        const std::size_t count = byte();
        if (count > FaceEvent::kMostPathPoints) short_ = true;
        for (std::size_t left = count; left > 0 && !short_; --left) {
            PathPoint& point = points.emplace_back();
            point.centre.x = single();
            point.centre.y = single();
            point.since = Microseconds(wide());
        }
        return points;
    }
    Snapshot snapshot() {
        Snapshot of;
        of.size = {taken(in_.u16()), taken(in_.u16())};
        of.bytes = number();
        if (of.size.empty() || of.bytes == 0 || of.bytes > Snapshot::kMostBytes) short_ = true;
        return of;
    }
    [[nodiscard]] bool atEnd() const { return in_.remaining() == 0; }
    [[nodiscard]] bool exact() const { return !short_ && in_.remaining() == 0; }

  private:
    template <class T>
    T taken(std::optional<T> value) {
        if (!value) short_ = true;
        return value.value_or(T{});
    }
    ByteReader in_;
    bool short_ = false;
};

}  // namespace

ByteBuffer storyOf(const FaceEvent& event) {
    ByteBuffer bytes;
    Writer out(bytes);
    out.single(event.quality);
    out.names(event.zones);
    out.names(event.zonesEntered);
    out.names(event.zonesLeft);
    out.flag(event.best.has_value());
    if (event.best) out.best(*event.best);
    out.path(event.path);
    // Last, and nothing where there is none: so a journal's older rows read as they are.
    if (event.snapshot) out.snapshot(*event.snapshot);
    return bytes;
}

bool addStory(FaceEvent& event, ByteView story) {
    if (story.empty()) return true;
    Reader in(story);
    event.quality = in.single();
    event.zones = in.names();
    event.zonesEntered = in.names();
    event.zonesLeft = in.names();
    const int has = in.byte();
    if (has == 1) event.best = in.best();
    event.path = in.path();
    if (!in.atEnd()) event.snapshot = in.snapshot();
    return has <= 1 && in.exact();
}

}  // namespace edgecam::uplink
