#include "capture/decoder.hpp"

#include <gst/app/gstappsrc.h>
#include <gst/video/video.h>

#include <algorithm>

#include "base/log.hpp"
#include "capture/picture_buffer.hpp"

namespace edgecam::capture {
namespace {

/// More than the longest group a GOP cache holds at 60 pictures a second.
constexpr std::size_t kMostInFlight = 150;
/// So many key frames fed alone that have not come out will not.
constexpr std::ptrdiff_t kMostKeysInFlight = 2;
/// Whoever comes is seen within 2 s or so, and cameras whose key frames come more often, or that code nothing
/// else, cost no more than others while nobody is there. Less than 1.5 s, for their clocks.
constexpr Microseconds kKeysApart = std::chrono::milliseconds(1400);
/// More than such a group lasts.
constexpr Microseconds kReplayShift = std::chrono::seconds(10);

const char* elementFor(Codec codec) {
    return codec == Codec::h265 ? "avdec_h265" : "avdec_h264";
}

}  // namespace

Decoder::Decoder(const ChunkStream& stream, const Timeline& timeline, const Clock& clock, Take take)
    : stream_(stream), timeline_(timeline), clock_(clock), take_(std::move(take)) {}

Decoder::~Decoder() {
    stop();
}

void Decoder::run(Decoding wanted) {
    if (failure_) fail(*std::exchange(failure_, std::nullopt));
    if (wanted == Decoding::none) {
        if (running()) stop();
        backOff_.reset();
        retryAt_ = {};
        return;
    }
    if (delivered_) backOff_.reset();
    const auto format = stream_.format();
    if (!format) return;
    if (running() && format->codec != codec_) stop();
    if (wanted == Decoding::keyFrames && !keyFramesSuffice(format->codec)) wanted = Decoding::all;
    if (running()) {
        if (wanted == decoding_) return;
        return wanted == Decoding::all ? decodeAll() : decodeKeyFrames();
    }
    if (clock_.monotonic() < retryAt_) return;
    codec_ = format->codec;
    start(wanted);
}

void Decoder::start(Decoding wanted) {
    // One thread: frame threads would hold pictures back.
    auto built = Pipeline::parse(
        concat("appsrc name=in is-live=true format=time block=false max-bytes=0 ! ", elementFor(codec_),
               " max-threads=1 ! videoconvert ! video/x-raw,format=I420"
               " ! appsink name=out sync=false async=false enable-last-sample=false"));
    if (!built) return fail(built.error().message);
    pipeline_.emplace(std::move(*built));
    delivered_ = false;
    pipeline_->watch([this](GstMessage* message) {
        if (GST_MESSAGE_TYPE(message) == GST_MESSAGE_ERROR && !failure_) failure_ = sentenceOf(message);
    });
    pipeline_->onSample("out", [this](GstSample* sample) { deliver(sample); });
    pipeline_->play();
    stream_.join([this, wanted](const Backlog& backlog, const std::shared_ptr<const Coding>& coding) {
        begin(wanted, backlog, coding);
    });
}

bool Decoder::keyFramesSuffice(Codec codec) {
    const std::lock_guard lock(mutex_);
    if (codec != codec_) needOthers_ = false;
    if (needOthers_ && decoding_ == Decoding::keyFrames && running()) {
        logInfo("capture", elementFor(codec), ": key frames cannot be decoded alone: all pictures are");
    }
    return !needOthers_;
}

void Decoder::decodeAll() {
    stream_.join([this](const Backlog& backlog, const std::shared_ptr<const Coding>& coding) {
        begin(Decoding::all, backlog, coding);
    });
}

void Decoder::decodeKeyFrames() {
    const std::lock_guard lock(mutex_);
    decoding_ = Decoding::keyFrames;
    keyFedAt_.reset();
    drain();
}

void Decoder::stop() {
    {
        const std::lock_guard lock(mutex_);
        input_.reset();
        coding_.reset();
        inFlight_.clear();
        awaitsKey_ = true;
    }
    pipeline_.reset();
    failure_.reset();
}

void Decoder::fail(const std::string& cause) {
    ++failures_;
    logWarning("capture", elementFor(codec_), ": ", cause);
    stop();
    retryAt_ = clock_.monotonic() + backOff_.next();
}

void Decoder::begin(Decoding decoding, const Backlog& backlog, const std::shared_ptr<const Coding>& coding) {
    const std::lock_guard lock(mutex_);
    input_ = pipeline_->element("in");
    decoding_ = decoding;
    awaitsKey_ = true;
    keyFedAt_.reset();
    shift_ += kReplayShift;
    for (const Chunk& chunk : backlog.chunks) {
        const bool wanted =
            decoding == Decoding::keyFrames || chunk.sequence == backlog.chunks.back().sequence;
        feedLocked(chunk, coding, wanted && chunk.sequence > latest_.sequence);
    }
}

void Decoder::feed(const Chunk& chunk, const std::shared_ptr<const Coding>& coding) {
    const std::lock_guard lock(mutex_);
    if (input_) feedLocked(chunk, coding, true);
}

void Decoder::feedLocked(const Chunk& chunk, const std::shared_ptr<const Coding>& coding, bool shown) {
    if (chunk.kind != ChunkKind::accessUnit) return;
    const bool onlyKeys = decoding_ == Decoding::keyFrames;
    if (onlyKeys && !chunk.keyFrame) return;
    // References must not be torn: from an overflow on, everything goes until the next key frame.
    if (inFlight_.size() >= kMostInFlight) {
        awaitsKey_ = true;
        if (gst_app_src_get_current_level_buffers(GST_APP_SRC(input_.get())) == 0) inFlight_.clear();
    }
    const auto stamp = timeline_.find(chunk.sequence);
    if (!stamp || (awaitsKey_ && !chunk.keyFrame) || inFlight_.size() >= kMostInFlight) {
        ++dropped_;
        return;
    }
    if (onlyKeys) {
        const Microseconds apart = keyFedAt_ ? stamp->mediaTime - *keyFedAt_ : kKeysApart;
        // A time that went back is none to wait for.
        if (apart >= Microseconds(0) && apart < kKeysApart) return;
        keyFedAt_ = stamp->mediaTime;
    }
    awaitsKey_ = false;
    if (coding != coding_) {
        coding_ = coding;
        const auto caps = adopt(newCapsOf(*coding));
        gst_app_src_set_caps(GST_APP_SRC(input_.get()), caps.get());
    }
    auto buffer = bufferOver(chunk.payload, kSampleOffset);
    const Microseconds time = stamp->mediaTime + shift_;
    GST_BUFFER_PTS(buffer.get()) = static_cast<GstClockTime>(time.count()) * 1000;
    if (!chunk.keyFrame) GST_BUFFER_FLAG_SET(buffer.get(), GST_BUFFER_FLAG_DELTA_UNIT);
    inFlight_.push_back({*stamp, time, shown, onlyKeys});
    needOthers_ = needOthers_ || std::ranges::count(inFlight_, true, &Pending::alone) > kMostKeysInFlight;
    gst_app_src_push_buffer(GST_APP_SRC(input_.get()), buffer.release());
    if (onlyKeys) drain();
}

/// A decoder of B-frames holds a picture back until it knows what is shown before it: a key frame alone,
/// until the next one. What is fed behind this has to begin with a key frame.
void Decoder::drain() {
    gst_element_send_event(input_.get(), gst_video_event_new_still_frame(TRUE));
}

/// Pictures come out in the order of presentation, so what lies before this one never will.
std::optional<PictureStamp> Decoder::stampOf(Microseconds time) {
    const std::lock_guard lock(mutex_);
    const auto found = std::ranges::find(inFlight_, time, &Pending::time);
    if (found == inFlight_.end()) return std::nullopt;
    const Pending picture = *found;
    std::erase_if(inFlight_, [&](const Pending& other) { return other.time <= time; });
    // What leads a key frame lies before it, and the key frame may have come out alone.
    if (!picture.shown || isBehind(picture.stamp.mediaTime, latest_.mediaTime)) return std::nullopt;
    latest_ = picture.stamp;
    return picture.stamp;
}

void Decoder::deliver(GstSample* sample) {
    const auto time =
        runningTime(gst_sample_get_segment(sample), GST_BUFFER_PTS(gst_sample_get_buffer(sample)));
    if (!time) return;
    delivered_ = true;
    const auto stamp = stampOf(*time);
    auto picture = stamp ? pictureOf(sample) : std::nullopt;
    if (!picture) return;
    picture->sequence = stamp->sequence;
    picture->captureTime = stamp->captureTime;
    take_(*picture, *stamp);
}

}  // namespace edgecam::capture
