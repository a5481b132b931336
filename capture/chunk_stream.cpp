#include "capture/chunk_stream.hpp"

#include <atomic>
#include <utility>

#include "base/log.hpp"
#include "capture/parameter_sets.hpp"

namespace edgecam::capture {
namespace {

/// Deepest reordering assumed of a stream that shows B-frames and does not say: what cameras and x264 use.
constexpr int kAssumedReorder = 2;

RenditionId nextRendition() {
    static std::atomic<RenditionId> next{1};
    return next++;
}

/// 1 to 0x7FFF, never used twice while it can be helped.
std::uint16_t nextChannel() {
    static std::atomic<std::uint32_t> next{0};
    return static_cast<std::uint16_t>(next++ % 0x7FFF + 1);
}

std::shared_ptr<const StreamFormat> streamFormat(const Coding& coding, RenditionKind kind) {
    StreamFormat format;
    format.codec = coding.track.codec;
    format.size = coding.track.size;
    format.frameRate = coding.frameRate;
    format.kind = kind;
    format.encoder = coding.encoder;
    if (coding.track.codec == Codec::jpeg) {
        format.codecString = "jpeg";
        format.mime = "image/jpeg";
    } else {
        const auto codec = codecString(coding.track);
        if (!codec) logWarning("capture", "codec string: ", codec.error().message);
        format.codecString = codec ? *codec : (coding.track.codec == Codec::h264 ? "avc1" : "hvc1");
        format.mime = "video/mp4; codecs=\"" + format.codecString + '"';
    }
    return std::make_shared<const StreamFormat>(std::move(format));
}

/// Null where it declares no reordering that could be left out. H.264 only.
std::shared_ptr<const Coding> withoutReordering(const Coding& coding) {
    if (coding.track.codec != Codec::h264 || avcReorderDepth(coding.track.codecData).value_or(0) == 0)
        return nullptr;
    auto record = avcWithReorderDepth(coding.track.codecData, 0);
    if (!record) return nullptr;
    Coding plain = coding;
    plain.track.codecData = *std::move(record);
    return std::make_shared<const Coding>(std::move(plain));
}

}  // namespace

ChunkStream::ChunkStream(RenditionKind kind, const Clock& clock, Emit emit)
    : id_(nextRendition()), kind_(kind), clock_(clock), emit_(std::move(emit)), cache_(GopLimits{}) {}

void ChunkStream::push(const AccessUnit& unit, const std::shared_ptr<const Coding>& given,
                       const PictureStamp& stamp) {
    const Monotonic codedAt = clock_.monotonic();
    const std::lock_guard lock(mutex_);
    const auto& coding = isPassedThrough(kind_) ? truthful(given, unit) : given;
    const bool changed = !coding_ || (coding != coding_ && coding->track != coding_->track);
    if ((awaitsKey_ || changed) && !unit.keyFrame) {
        awaitsKey_ = true;
        return;
    }
    const bool onlyRateChanged = !changed && coding->frameRate != coding_->frameRate;
    coding_ = coding;
    if (changed) {
        adoptFormat(*coding);
        announce(stamp);
    } else if (onlyRateChanged) {
        format_ = streamFormat(*coding, kind_);  // decoders need not be told: the channel goes on
    }
    const bool isJpeg = coding->track.codec == Codec::jpeg;
    Chunk chunk = chunkFor(isJpeg ? ChunkKind::jpeg : ChunkKind::accessUnit, stamp);
    chunk.keyFrame = unit.keyFrame;
    chunk.discontinuity = std::exchange(broken_, false);
    if (isJpeg) {
        chunk.payload = share(ByteBuffer(unit.data.begin(), unit.data.end()));
    } else {
        AccessUnit timed = unit;
        timed.dts = decodeTime(unit);
        chunk.payload = share(muxer_.fragment(timed));
    }
    awaitsKey_ = false;
    chunk.madeAt = clock_.monotonic();
    delays_.coded.add(codedAt - stamp.capturedAt);
    delays_.muxed.add(*chunk.madeAt - codedAt);
    emit(chunk);
}

/// What the camera's pictures are really coded as. Its word counts until they have shown otherwise.
const std::shared_ptr<const Coding>& ChunkStream::truthful(const std::shared_ptr<const Coding>& coding,
                                                           const AccessUnit& unit) {
    if (!claimed_ || (coding != claimed_ && *coding != *claimed_)) {
        if (!claimed_ || coding->track != claimed_->track) claim_ = {};
        plain_ = withoutReordering(*coding);
    }
    claimed_ = coding;
    if (!plain_) return coding;
    const bool before = claim_.isVoid();
    claim_.note(unit.pts, unit.keyFrame);
    if (claim_.isVoid() && !before) {
        logInfo(
            "capture", "a camera declares a reordering of ", reorderDepth(coding->track).value_or(0),
            " pictures and does none: its parameter sets say 0 from here on, or players would hold pictures "
            "back");
    } else if (before && !claim_.isVoid()) {
        logWarning("capture", "a camera reorders pictures after all: its parameter sets are believed again");
    }
    return claim_.isVoid() ? plain_ : coding;
}

void ChunkStream::adoptFormat(const Coding& coding) {
    format_ = streamFormat(coding, kind_);
    channel_ = nextChannel();
    reorder_ = coding.track.codec == Codec::jpeg ? 0 : reorderDepth(coding.track).value_or(0);
    startDecodeTimes();
}

void ChunkStream::startDecodeTimes() {
    decodeTimes_.reset();
    if (reorder_ > 0) decodeTimes_.emplace(reorder_);
}

void ChunkStream::announce(const PictureStamp& stamp) {
    init_.reset();
    if (coding_->track.codec == Codec::jpeg) return;
    init_ = chunkFor(ChunkKind::initSegment, stamp);
    init_->payload = share(initSegment(coding_->track));
    emit(*init_);
}

Microseconds ChunkStream::decodeTime(const AccessUnit& unit) {
    if (unit.dts) return *unit.dts;
    if (reorder_ == 0 && unit.pts < latestPts_ && !unit.keyFrame) {
        reorder_ = kAssumedReorder;
        startDecodeTimes();
    }
    latestPts_ = unit.pts;
    return decodeTimes_ ? decodeTimes_->next(unit.pts) : unit.pts;
}

Chunk ChunkStream::chunkFor(ChunkKind kind, const PictureStamp& stamp) const {
    Chunk chunk;
    chunk.rendition = id_;
    chunk.channel = channel_;
    chunk.kind = kind;
    chunk.sequence = stamp.sequence;
    chunk.captureTime = stamp.captureTime;
    chunk.format = format_;
    return chunk;
}

void ChunkStream::emit(const Chunk& chunk) {
    cache_.add(chunk);
    emit_(chunk, coding_);
}

void ChunkStream::breakOff() {
    const std::lock_guard lock(mutex_);
    if (!format_) return;  // nobody has seen anything of it that could break
    broken_ = true;
    forgetGroup();
}

void ChunkStream::rest() {
    const std::lock_guard lock(mutex_);
    forgetGroup();
}

void ChunkStream::forgetGroup() {
    awaitsKey_ = true;
    claim_.breakOff();
    cache_.clear();  // nobody wants the past of a camera that is down, but its init segment stays in force
    if (init_) cache_.add(*init_);
    startDecodeTimes();
}

void ChunkStream::join(const Join& join) const {
    const std::lock_guard lock(mutex_);
    join(cache_.backlog(), coding_);
}

std::size_t ChunkStream::cachedPictures() const {
    const std::lock_guard lock(mutex_);
    return cache_.groupSize();
}

bool ChunkStream::keepsGroups() const {
    const std::lock_guard lock(mutex_);
    return cache_.keepsGroups();
}

std::shared_ptr<const StreamFormat> ChunkStream::format() const {
    const std::lock_guard lock(mutex_);
    return format_;
}

PictureDelays ChunkStream::delays() const {
    const std::lock_guard lock(mutex_);
    return delays_;
}

}  // namespace edgecam::capture
