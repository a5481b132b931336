// Two bytes a step: what is done to a LaneQueue, and with what. A model beside it says what must hold,
// whatever is done.
#include <array>
#include <cstdint>
#include <map>
#include <string>

#include "uplink/frame_header.hpp"
#include "uplink/lane_queue.hpp"

using namespace edgecam;
using namespace edgecam::uplink;

namespace {

void require(bool holds) {
    if (!holds) __builtin_trap();
}

constexpr std::array kTextLanes{Lane::answers, Lane::events, Lane::replay, Lane::lossy};
constexpr std::array kAllLanes{Lane::answers, Lane::events, Lane::video,
                               Lane::replay,  Lane::lossy,  Lane::bulk};
constexpr std::uint16_t kBulkChannel = 0x8000;
constexpr std::size_t kMostMessage = 600;
constexpr Microseconds kKeyInterval = std::chrono::milliseconds(400);

/// What came out of one channel, and what has to.
struct Channel {
    std::uint32_t next = 1;      ///< the number of the next picture pushed
    std::uint32_t lastSent = 0;  ///< the last picture of which something came
    bool begun = false;          ///< and not all of it yet
    std::uint32_t offset = 0;    ///< where its next part begins
    std::uint32_t keyDue = 0;    ///< the newest key frame that was taken and is not sent; 0: none
};

/// Bytes since both of two lanes wait, or since one waits and another is served.
struct Share {
    std::size_t mine = 0;
    std::size_t others = 0;
};

class Model {
  public:
    explicit Model(LaneLimits limits) : limits_(limits), lanes_(limits) {}

    void step(std::uint8_t what, std::uint8_t with) {
        switch (what % 9) {
            case 0:
            case 1:
                pushPicture(1 + with % 3, with % 11 == 0, 3U * with);
                break;
            case 2:
                pushText(kTextLanes[with % kTextLanes.size()], 1U + with);
                break;
            case 3:
                pushBulk(2U * with);
                break;
            case 4:
                now_ += Microseconds(1000 * with);
                break;
            case 5:
                cut();
                break;
            case 6:
                if (with < 32) drop(1 + with % 3);
                if (with >= 224) thin(with % 2 != 0);
                break;
            case 7:
                pop(kLastUrgentLane);
                break;
            default:
                for (unsigned turn = 0; turn <= with % 8U; ++turn) pop(Lane::bulk);
        }
        require(lanes_.bytes(Lane::video) <= limits_.videoBytes);
    }

    void finish() {
        while (pop(Lane::bulk)) {
        }
        cut();
        for (const Lane lane : kAllLanes) {
            const LaneUse use = lanes_.use(lane, now_);
            require(use.depth == 0 && use.bytes == 0 && use.age == Microseconds(0));
        }
        require(sentText_ == takenText_);
        for (const auto& [number, channel] : channels_) require(!channel.begun && channel.keyDue == 0);
        require(pushedVideo_ == sentVideo_ + toldVideo_ + droppedVideo_ + withheldVideo_);
    }

  private:
    void pushPicture(RenditionId rendition, bool keyFrame, std::size_t bytes) {
        Channel& channel = channels_[static_cast<std::uint16_t>(rendition)];
        Chunk chunk;
        chunk.rendition = rendition;
        chunk.channel = static_cast<std::uint16_t>(rendition);
        chunk.keyFrame = keyFrame;
        chunk.sequence = channel.next++;
        chunk.payload = share(ByteBuffer(bytes, 1));
        const auto parts = cutIntoParts(chunk, 256);
        std::size_t size = 0;
        for (const WireMessage& part : parts) size += part.size();
        pushedVideo_ += size;
        // Before its first key frame a stream misses nothing, so nothing is told either.
        const bool thinned = thinned_ && !(keyFrame && isDue(rendition));
        if (thinned || (!keyFrame && !started_[rendition])) withheldVideo_ += size;
        if (thinned_ && !thinned) lastKey_[rendition] = now_;
        started_[rendition] = started_[rendition] || keyFrame;
        const std::size_t before = lanes_.bytes(Lane::video);
        require(lanes_.pushVideo(chunk, parts, now_));
        require(!thinned || lanes_.bytes(Lane::video) == before);
        if (keyFrame && !lanes_.awaitsKeyFrame(rendition)) channel.keyDue = chunk.sequence;
    }

    void thin(bool thinned) {
        thinned_ = thinned;
        lastKey_.clear();
        lanes_.onlyKeyFrames(thinned ? std::optional(kKeyInterval) : std::nullopt);
    }

    bool isDue(RenditionId rendition) const {
        const auto last = lastKey_.find(rendition);
        return last == lastKey_.end() || now_ - last->second >= kKeyInterval * 3 / 4;
    }

    void pushText(Lane lane, std::size_t bytes) {
        const LaneUse before = lanes_.use(lane, now_);
        const bool taken = lanes_.push(lane, WireMessage::text(std::string(bytes, 't')), now_);
        const LaneUse after = lanes_.use(lane, now_);
        require(taken || (after.bytes == before.bytes && after.dropped > before.dropped) ||
                lane == Lane::events || lane == Lane::lossy);
        takenText_ += after.bytes - before.bytes;  // less what had to go for it, modulo 2^64
    }

    void pushBulk(std::size_t bytes) {
        Chunk chunk;
        chunk.kind = ChunkKind::jpeg;
        chunk.channel = kBulkChannel;
        chunk.sequence = channels_[kBulkChannel].next++;
        chunk.payload = share(ByteBuffer(bytes, 2));
        const std::size_t before = lanes_.bytes(Lane::bulk);
        lanes_.push(Lane::bulk, cutIntoParts(chunk, 128), now_);
        takenText_ += lanes_.bytes(Lane::bulk) - before;
    }

    void cut() {
        for (const DropNotice& notice : lanes_.cut(now_)) {
            require(notice.frames > 0 && notice.fromSequence <= notice.toSequence);
            toldVideo_ += notice.bytes;
        }
    }

    void drop(RenditionId rendition) {
        Channel& channel = channels_[static_cast<std::uint16_t>(rendition)];
        const std::size_t before = lanes_.bytes(Lane::video);
        lanes_.dropRendition(rendition);
        droppedVideo_ += before - lanes_.bytes(Lane::video);
        channel.keyDue = 0;
        started_[rendition] = false;
        lastKey_.erase(rendition);
        require(!lanes_.awaitsKeyFrame(rendition));
    }

    bool pop(Lane last) {
        std::array<std::size_t, kLaneCount> before{};
        for (const Lane lane : kAllLanes) before[static_cast<std::size_t>(lane)] = lanes_.bytes(lane);
        const bool wasEmpty = lanes_.empty(last);
        const auto waits = waiting();
        const auto message = lanes_.pop(last);
        require(message.has_value() == !wasEmpty);
        if (!message) return false;

        Lane served = Lane::answers;
        int changed = 0;
        for (const Lane lane : kAllLanes) {
            if (lanes_.bytes(lane) == before[static_cast<std::size_t>(lane)]) continue;
            require(before[static_cast<std::size_t>(lane)] - lanes_.bytes(lane) == message->size());
            served = lane;
            ++changed;
        }
        require(changed == 1 && served <= last);
        require(served == Lane::answers || !waits[0]);
        require(served <= Lane::events || !waits[1]);
        require(served != Lane::lossy || (!waits[2] && !waits[3]));
        checkShares(served, message->size(), waits);
        if (served != Lane::video) sentText_ += message->size();
        if (message->isBinary()) checkFrame(*message, served == Lane::video);
        return true;
    }

    std::array<bool, kLaneCount> waiting() const {
        std::array<bool, kLaneCount> waits{};
        for (const Lane lane : kAllLanes) waits[static_cast<std::size_t>(lane)] = lanes_.depth(lane) > 0;
        return waits;
    }

    void checkShares(Lane served, std::size_t bytes, const std::array<bool, kLaneCount>& waited) {
        const auto waits = waiting();
        const bool replayBesideVideo = waited[2] && waited[3];
        if (replayBesideVideo && served == Lane::replay) replay_.mine += bytes;
        if (replayBesideVideo && served == Lane::video) replay_.others += bytes;
        require(replay_.mine <= replay_.others);
        require(replay_.others <= replay_.mine + 2 * kMostMessage);
        if (!replayBesideVideo || !waits[2] || !waits[3]) replay_ = {};

        // Bulk that nobody else competes with pays for it afterwards at most by starting from nothing.
        const bool beside = waited[2] || waited[3] || waited[4];
        if (served == Lane::bulk && beside) bulk_.mine += bytes;
        if (served != Lane::bulk && waited[5]) bulk_.others += bytes;
        require(bulk_.mine * (LaneQueue::kBulkShare - 1) <= bulk_.others);
        if (!waits[5]) bulk_ = {};
    }

    void checkFrame(const WireMessage& message, bool video) {
        const auto frame = parseFrame(message.bytes());
        require(static_cast<bool>(frame));
        const FrameHeader& header = frame->header;
        Channel& channel = channels_[header.channel];
        if (video) {
            sentVideo_ += message.size();
            for (const auto& [number, other] : channels_) {
                require(!other.begun || number == header.channel || number == kBulkChannel);
            }
        }
        const bool key = (header.flags & FrameHeader::kKeyFrame) != 0;
        if (channel.begun) {
            require(header.sequence == channel.lastSent);
        } else {
            require(header.sequence > channel.lastSent);
            require(!video || key || header.sequence == channel.lastSent + 1);
            // Nothing newer goes before the newest key frame.
            require(channel.keyDue == 0 || header.sequence <= channel.keyDue);
            channel.offset = 0;
        }
        require(header.partOffset == channel.offset);
        channel.offset += static_cast<std::uint32_t>(frame->part.size());
        channel.begun = channel.offset != header.payloadLength;
        channel.lastSent = header.sequence;
        if (channel.keyDue == header.sequence) channel.keyDue = 0;
    }

    LaneLimits limits_;
    LaneQueue lanes_;
    Monotonic now_{};
    std::map<std::uint16_t, Channel> channels_;
    std::map<RenditionId, bool> started_;
    bool thinned_ = false;
    std::map<RenditionId, Monotonic> lastKey_;
    Share replay_;
    Share bulk_;
    std::size_t takenText_ = 0, sentText_ = 0;
    std::uint64_t pushedVideo_ = 0, sentVideo_ = 0, toldVideo_ = 0, droppedVideo_ = 0, withheldVideo_ = 0;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size == 0) return 0;
    LaneLimits limits;
    limits.answerBytes = limits.eventBytes = limits.replayBytes = limits.lossyBytes = 2000;
    limits.bulkBytes = 4000;
    limits.videoBytes = data[0] % 2 == 0 ? 3000 : 100'000;
    Model model(limits);
    for (std::size_t at = 1; at + 1 < size; at += 2) model.step(data[at], data[at + 1]);
    model.finish();
    return 0;
}
