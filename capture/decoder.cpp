#include "capture/decoder.hpp"

#include <gst/app/gstappsrc.h>

#include <algorithm>

#include "base/log.hpp"
#include "capture/picture_buffer.hpp"

namespace edgecam::capture {
namespace {

/// More than the longest group a GOP cache holds at 60 pictures a second.
constexpr std::size_t kMostInFlight = 150;

const char* elementFor(Codec codec) {
    return codec == Codec::h265 ? "avdec_h265" : "avdec_h264";
}

}  // namespace

Decoder::Decoder(const ChunkStream& stream, const Timeline& timeline, const Clock& clock, Take take)
    : stream_(stream), timeline_(timeline), clock_(clock), take_(std::move(take)) {}

Decoder::~Decoder() {
    stop();
}

void Decoder::run(bool wanted) {
    if (failure_) fail(*std::exchange(failure_, std::nullopt));
    if (!wanted) {
        if (running()) stop();
        backOff_.reset();
        retryAt_ = {};
        return;
    }
    if (delivered_) backOff_.reset();
    const auto format = stream_.format();
    if (!format) return;
    if (running() && format->codec != codec_) stop();
    if (running() || clock_.monotonic() < retryAt_) return;
    codec_ = format->codec;
    start();
}

void Decoder::start() {
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
    stream_.join([this](const Backlog& backlog, const std::shared_ptr<const Coding>& coding) {
        warmUp(backlog, coding);
    });
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

void Decoder::warmUp(const Backlog& backlog, const std::shared_ptr<const Coding>& coding) {
    const std::lock_guard lock(mutex_);
    input_ = pipeline_->element("in");
    showFrom_ = backlog.chunks.empty() ? 0 : backlog.chunks.back().sequence;
    for (const Chunk& chunk : backlog.chunks) feedLocked(chunk, coding);
}

void Decoder::feed(const Chunk& chunk, const std::shared_ptr<const Coding>& coding) {
    const std::lock_guard lock(mutex_);
    if (input_) feedLocked(chunk, coding);
}

void Decoder::feedLocked(const Chunk& chunk, const std::shared_ptr<const Coding>& coding) {
    if (chunk.kind != ChunkKind::accessUnit) return;
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
    awaitsKey_ = false;
    if (coding != coding_) {
        coding_ = coding;
        const auto caps = adopt(newCapsOf(*coding));
        gst_app_src_set_caps(GST_APP_SRC(input_.get()), caps.get());
    }
    auto buffer = bufferOver(chunk.payload, kSampleOffset);
    GST_BUFFER_PTS(buffer.get()) = static_cast<GstClockTime>(stamp->mediaTime.count()) * 1000;
    if (!chunk.keyFrame) GST_BUFFER_FLAG_SET(buffer.get(), GST_BUFFER_FLAG_DELTA_UNIT);
    inFlight_.push_back(*stamp);
    gst_app_src_push_buffer(GST_APP_SRC(input_.get()), buffer.release());
}

/// Pictures come out in the order of presentation, so what lies far before this one never will.
std::optional<PictureStamp> Decoder::stampOf(Microseconds mediaTime) {
    const std::lock_guard lock(mutex_);
    const auto found = std::find_if(inFlight_.begin(), inFlight_.end(),
                                    [&](const PictureStamp& stamp) { return stamp.mediaTime == mediaTime; });
    if (found == inFlight_.end()) return std::nullopt;
    const PictureStamp stamp = *found;
    std::erase_if(inFlight_, [&](const PictureStamp& other) { return other.mediaTime <= mediaTime; });
    if (stamp.sequence < showFrom_) return std::nullopt;
    return stamp;
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
