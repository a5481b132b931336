// LaneQueue: what waits for one peer's socket, in lanes. Urgent lanes go strictly first; below them replay
// has a fair half beside live video, and bulk a small share. Bounded in bytes and in time; video that waits
// too long is cut behind its newest key frame, and what was cut is told. Pure; the clock is handed in.
#pragma once

#include <array>
#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <vector>

#include "base/clock.hpp"
#include "base/media.hpp"
#include "uplink/wire_message.hpp"

namespace edgecam::uplink {

/// In the order in which they are served, but for the shares of `replay` and `bulk`. `answers` and `events`
/// are the urgent ones: nothing below them is ever served first.
enum class Lane {
    answers,  ///< to requests, and what the session says of itself
    events,   ///< as they happen
    video,    ///< live: access units, pictures, init segments
    replay,   ///< events sent again after an outage: while video waits too, at most half the bytes of both
    lossy,    ///< detections, metrics
    bulk,     ///< snapshots, clips: while video, replay or lossy wait too, a kBulkShare-th of all bytes
};
inline constexpr std::size_t kLaneCount = 6;
inline constexpr Lane kLastUrgentLane = Lane::events;

struct LaneLimits {
    std::size_t answerBytes = 1 << 20;  ///< beyond: the peer does not read; the session ends it
    std::size_t eventBytes = 1 << 20;   ///< beyond: the oldest go (durability is the journal's)
    std::size_t videoBytes = 8 << 20;
    Microseconds videoAge = std::chrono::milliseconds(500);
    std::size_t replayBytes = 256 << 10;  ///< beyond: the new one is refused, the journal has it
    std::size_t lossyBytes = 256 << 10;   ///< beyond: the oldest go
    std::size_t bulkBytes = 8 << 20;      ///< beyond: the new one is refused
};

/// What was skipped for this peer, for a `drop` message.
struct DropNotice {
    std::uint16_t channel = 0;
    std::uint32_t fromSequence = 0;
    std::uint32_t toSequence = 0;
    std::uint32_t frames = 0;
    std::uint64_t bytes = 0;
};

/// One lane at one moment.
struct LaneUse {
    std::size_t depth = 0;  ///< messages, of video access units
    std::size_t bytes = 0;  ///< still to be written
    Microseconds age{0};    ///< of the oldest; 0 when nothing waits
    /// How many messages the lane had to give up or refuse so far, and of video how many pictures.
    std::uint64_t dropped = 0;
};

/// Not thread-safe: one service thread uses it.
class LaneQueue {
  public:
    /// While bulk and others wait, every sixteenth byte is bulk's.
    static constexpr std::size_t kBulkShare = 16;

    explicit LaneQueue(LaneLimits limits) : limits_(limits) {}

    /// Text or one-shot binary. False: the lane is full (answers: the peer reads too slowly; replay, bulk:
    /// refused).
    bool push(Lane lane, WireMessage message, Monotonic now);
    /// The parts of one payload, taken as a whole or refused as a whole.
    bool push(Lane lane, std::vector<WireMessage> parts, Monotonic now);
    /// An access unit's, picture's or init segment's parts, kept together. `now` is when it came, for its
    /// age. A delta is taken only in unbroken succession to a key frame. What finds no room is skipped and
    /// told by the next cut(). False: not even an init segment finds room, the peer does not read.
    bool pushVideo(const Chunk& chunk, const std::vector<WireMessage>& parts, Monotonic now);
    /// An answer that must not overtake what is half sent of these renditions, else as in Lane::answers.
    bool pushBehind(const std::vector<RenditionId>& renditions, WireMessage message, Monotonic now);

    /// Applies the bounds of time; returns what was skipped since the last call, merged by channel. When the
    /// oldest access unit of a rendition waits too long, those before its newest key frame go; when that is
    /// too old itself, or was sent, the deltas behind it go too and awaitsKeyFrame() becomes true. A
    /// half-sent access unit is finished; init segments and the newest key frame of a rendition are never
    /// cut.
    std::vector<DropNotice> cut(Monotonic now);
    /// Gives up every picture that waits and was not begun; the next cut() tells of them.
    void skipVideo();
    /// From now on pushVideo() takes of every rendition a key frame now and then, about every `interval`, and
    /// ignores all else but init segments; that is told by nobody's notice. Nothing: it takes everything
    /// again, from the next key frame on.
    void onlyKeyFrames(std::optional<Microseconds> interval);
    /// Whether deltas of this rendition were skipped, so that nothing goes on before its next key frame.
    [[nodiscard]] bool awaitsKeyFrame(RenditionId rendition) const;

    /// The next message to write, of the lanes up to `last`; nothing when those are empty. A begun access
    /// unit's parts are not interleaved with other video, but other lanes go between them.
    std::optional<WireMessage> pop(Lane last = Lane::bulk);

    /// Forgets what waits of a rendition, but for an access unit already begun. It begins again with a key
    /// frame.
    void dropRendition(RenditionId rendition);

    [[nodiscard]] bool empty(Lane last = Lane::bulk) const;
    [[nodiscard]] std::size_t bytes(Lane lane) const { return row(lane).bytes; }
    [[nodiscard]] std::size_t depth(Lane lane) const { return row(lane).items.size(); }
    [[nodiscard]] LaneUse use(Lane lane, Monotonic now) const;

  private:
    enum class What { message, initSegment, keyFrame, delta };
    struct Item {
        std::vector<WireMessage> parts;
        std::size_t nextPart = 0;
        std::size_t bytes = 0;  ///< still to be written
        Monotonic queuedAt;
        What what = What::message;
        RenditionId rendition = 0;
        std::uint16_t channel = 0;
        std::uint32_t sequence = 0;

        [[nodiscard]] const WireMessage& next() const { return parts[nextPart]; }
        [[nodiscard]] bool begun() const { return nextPart > 0; }
        [[nodiscard]] bool picture() const { return what == What::keyFrame || what == What::delta; }
        /// A picture of this rendition that may still be taken back.
        [[nodiscard]] bool waitsOf(RenditionId wanted) const {
            return picture() && rendition == wanted && !begun();
        }
    };
    struct Row {
        std::deque<Item> items;
        std::size_t bytes = 0;
        std::uint64_t dropped = 0;
    };
    enum class Chain { flowing, broken };
    /// What onlyKeyFrames() keeps out.
    bool thinnedOut(const Item& item, Monotonic now);

    static Item itemOf(const Chunk& chunk, const std::vector<WireMessage>& parts, Monotonic now);
    [[nodiscard]] Row& row(Lane lane) { return lanes_[static_cast<std::size_t>(lane)]; }
    [[nodiscard]] const Row& row(Lane lane) const { return lanes_[static_cast<std::size_t>(lane)]; }
    [[nodiscard]] std::size_t limitOf(Lane lane) const;
    static void append(Row& row, Item item);
    [[nodiscard]] std::optional<Lane> laneToServe(Lane last) const;
    [[nodiscard]] bool replayIsDue() const;
    [[nodiscard]] bool bulkIsDue() const;
    WireMessage take(Lane lane);
    void settleShares(Lane served, std::size_t bytes);
    void cutOlderThan(Monotonic deadline);
    void cutRendition(RenditionId rendition, Monotonic deadline);
    void skip(const Item& item);
    template <class Predicate>
    std::size_t skipIf(Predicate unwanted);

    LaneLimits limits_;
    std::array<Row, kLaneCount> lanes_;
    std::map<RenditionId, Chain> chains_;  ///< absent: nothing since its beginning
    std::map<std::uint16_t, DropNotice> skipped_;
    std::optional<Microseconds> keyInterval_;    ///< key frames only
    std::map<RenditionId, Monotonic> lastKeys_;  ///< taken, while that is so
    /// Bytes of video since both video and replay wait, less those of replay: what replay may take.
    std::size_t replayCredit_ = 0;
    /// Bytes of other lanes since bulk waits, less kBulkShare - 1 times those of bulk.
    std::size_t bulkCredit_ = 0;
};

}  // namespace edgecam::uplink
