#include "capture/encoder.hpp"

#include <gst/app/gstappsrc.h>
#include <gst/video/video.h>

#include <algorithm>
#include <cmath>
#include <utility>

#include "base/log.hpp"
#include "capture/picture_buffer.hpp"

namespace edgecam::capture {
namespace {

constexpr int kJpegBlock = 16;  // pixels
/// A little less than 2 s, so that rounded time stamps do not make it one picture more.
constexpr Microseconds kKeyInterval = std::chrono::milliseconds(1990);
constexpr Microseconds kLeastKeyInterval = std::chrono::seconds(1);
/// An encoder that holds so many pictures has stopped working.
constexpr std::size_t kMostInFlight = 60;
/// An encoder that has not ended by then hangs: another one is taken.
constexpr Microseconds kLetGoWithin = std::chrono::seconds(3);
constexpr double kAssumedRate = 30;  ///< for rate control, when the source does not say

int evenPart(double length) {
    return std::max(16, static_cast<int>(length / 2) * 2);
}

}  // namespace

Size fittedSize(Size source, Size wanted) {
    double scale = 1;
    if (wanted.width > 0) scale = std::min(scale, static_cast<double>(wanted.width) / source.width);
    if (wanted.height > 0) scale = std::min(scale, static_cast<double>(wanted.height) / source.height);
    return {evenPart(source.width * scale + 0.5), evenPart(source.height * scale + 0.5)};
}

Encoder::Encoder(EncoderForm form, const EncoderSettings& settings, const Clock& clock, Take take,
                 std::span<const EncoderKind> kinds)
    : form_(form),
      clock_(clock),
      take_(std::move(take)),
      kinds_(kinds),
      holds_(form == EncoderForm::h264 ? kinds.size() : 1),
      settings_(settings) {
    obedience_.aim(settings.bitrateKbps);
}

Encoder::~Encoder() {
    stop();
}

void Encoder::run(bool wanted) {
    if (failure_) fail(*std::exchange(failure_, std::nullopt));
    if (!wanted) {
        if (running()) stop();
        backOff_.reset();
        retryAt_ = {};
        return;
    }
    if (running()) {
        if (delivered_) backOff_.reset();
        const bool stuck = [this] {
            const std::lock_guard lock(mutex_);
            return inFlight_.size() > kMostInFlight;
        }();
        if (stuck) return fail("it takes pictures and gives none");
        return makeObey();
    }
    const Monotonic now = clock_.monotonic();
    if (now < retryAt_ || (!letGo() && now - *stoppedAt_ < kLetGoWithin)) return;
    if (const auto started = start(); !started) fail(started.error().message);
}

std::string Encoder::description() const {
    const std::string head =
        "appsrc name=in is-live=true format=time block=false max-buffers=4 max-bytes=0 leaky-type=downstream"
        " ! videoscale ! capsfilter name=size ! ";
    const std::string tail = " ! appsink name=out sync=false async=false enable-last-sample=false";
    // A JPEG's colours are full-range BT.601 (JFIF 1.02); jpegenc itself converts nothing.
    if (form_ == EncoderForm::jpeg) {
        return head +
               "videoconvert ! video/x-raw,format=I420,colorimetry=1:4:0:0 ! jpegenc name=encoder "
               "quality=80" +
               tail;
    }
    return head + kinds_[kind_].launch + tail;
}

/// Whether the last pipeline of this kind has ended. A driver takes its time for that, and may hang; software
/// that still ends is in nobody's way.
bool Encoder::letGo() const {
    return form_ == EncoderForm::jpeg || !kinds_[kind_].hardware || holds_[kind_].expired();
}

Result<void> Encoder::start() {
    if (form_ == EncoderForm::h264) {
        // Whether a device opens shows when the pipeline starts, which does not happen on this thread.
        while (kind_ < kinds_.size() && (!elementExists(kinds_[kind_].element) || !letGo())) ++kind_;
        if (kind_ == kinds_.size()) {
            kind_ = 0;
            return Error{"there is no H.264 encoder on this machine that works"};
        }
    }
    auto built = Pipeline::parse(description());
    if (!built) return built.error();
    auto hold = std::make_shared<int>();
    holds_[kind_] = hold;
    pipeline_.emplace(std::move(*built), std::move(hold));
    delivered_ = false;
    pipeline_->watch([this](GstMessage* message) {
        if (GST_MESSAGE_TYPE(message) == GST_MESSAGE_ERROR && !failure_) failure_ = sentenceOf(message);
    });
    const char* name = form_ == EncoderForm::jpeg ? "jpegenc" : kinds_[kind_].element;
    pipeline_->onSample("out", [this, reader = std::make_shared<CodingReader>(name)](GstSample* sample) {
        deliver(sample, *reader);
    });
    const auto encoder = pipeline_->element("encoder");
    {
        const std::lock_guard lock(mutex_);
        if (form_ == EncoderForm::h264) kinds_[kind_].setBitrate(encoder.get(), settings_.bitrateKbps);
    }
    pipeline_->play();
    const std::lock_guard lock(mutex_);
    input_ = pipeline_->element("in");
    size_ = pipeline_->element("size");
    encoder_ = pipeline_->element("encoder");
    return {};
}

void Encoder::stop() {
    {
        const std::lock_guard lock(mutex_);
        input_.reset();
        size_.reset();
        encoder_.reset();
        in_.reset();
        inFlight_.clear();
        verdict_ = RateObedience::Verdict::obeys;
        obedience_.restarted();
        keyWanted_ = keyNow_ = false;
    }
    if (running()) stoppedAt_ = clock_.monotonic();
    pipeline_.reset();
    failure_.reset();
}

void Encoder::fail(const std::string& cause) {
    ++failures_;
    logWarning("capture", form_ == EncoderForm::jpeg ? "jpegenc" : kinds_[kind_].element, ": ", cause);
    if (form_ == EncoderForm::h264 && !delivered_) kind_ = (kind_ + 1) % kinds_.size();
    stop();
    retryAt_ = clock_.monotonic() + backOff_.next();
}

void Encoder::tune(const EncoderSettings& settings) {
    const std::lock_guard lock(mutex_);
    if (settings == settings_) return;
    const bool newBitrate = settings.bitrateKbps != settings_.bitrateKbps;
    settings_ = settings;
    retuned_ = true;
    if (newBitrate) setBitrate();
}

/// Under the lock.
void Encoder::setBitrate() {
    if (form_ != EncoderForm::h264) return;
    obedience_.aim(settings_.bitrateKbps);
    if (encoder_) kinds_[kind_].setBitrate(encoder_.get(), settings_.bitrateKbps);
}

/// What the last pictures said of how it follows its bitrate is acted on here, off their thread.
void Encoder::makeObey() {
    using Verdict = RateObedience::Verdict;
    std::unique_lock lock(mutex_);
    const Verdict verdict = std::exchange(verdict_, Verdict::obeys);
    if (verdict == Verdict::tellAgain) setBitrate();
    if (verdict != Verdict::rebuild) return;
    logWarning("capture", kinds_[kind_].element, ": gives ", obedience_.measuredKbps(), " kbit/s where ",
               settings_.bitrateKbps, " are asked, and was told twice; it is built anew");
    lock.unlock();
    ++failures_;
    stop();
    if (!letGo()) return;  // run() looks again
    if (const auto started = start(); !started) fail(started.error().message);
}

void Encoder::setGate(std::shared_ptr<LinkGate> gate) {
    const std::lock_guard lock(mutex_);
    link_ = std::move(gate);
}

void Encoder::requestKeyFrame() {
    const std::lock_guard lock(mutex_);
    keyWanted_ = true;
}

void Encoder::breakOff() {
    const std::lock_guard lock(mutex_);
    keyNow_ = true;
}

void Encoder::push(const Picture& picture, const PictureStamp& stamp, double sourceRate) {
    const std::lock_guard lock(mutex_);
    // Of two streams that are taken in turn the one may be ahead of the other.
    if (!input_ || isBehind(stamp.mediaTime, lastPushed_)) return;
    lastPushed_ = stamp.mediaTime;
    const Input input{picture.size, sourceRate};
    if (!in_ || *in_ != input || retuned_) follow(input);
    if (!gate_.pass(stamp.mediaTime) || (link_ && !link_->takes())) return;
    forceKeyFrameIfDue(stamp.mediaTime);
    inFlight_.push_back(stamp);
    gst_app_src_push_buffer(GST_APP_SRC(input_.get()), bufferOf(picture, stamp.mediaTime).release());
}

/// Tells the pipeline about a new source or new settings. The encoder answers new caps with a key frame.
void Encoder::follow(const Input& input) {
    in_ = input;
    retuned_ = false;
    const bool thinned =
        settings_.frameRate > 0 && (input.rate <= 0 || settings_.frameRate < input.rate * 0.95);
    gate_.limit(thinned ? settings_.frameRate : 0);
    const double rate = thinned ? settings_.frameRate : input.rate;
    gst_app_src_set_caps(GST_APP_SRC(input_.get()),
                         rawCaps(input.size, rate > 0 ? rate : kAssumedRate).get());
    Size size = fittedSize(input.size, settings_.size);
    // jpegenc takes whole blocks and would read what lies in memory behind a row that ends within one.
    if (form_ == EncoderForm::jpeg && size.width > kJpegBlock) size.width -= size.width % kJpegBlock;
    const auto scaled = adopt(gst_caps_new_simple("video/x-raw", "format", G_TYPE_STRING, "I420", "width",
                                                  G_TYPE_INT, size.width, "height", G_TYPE_INT, size.height,
                                                  "pixel-aspect-ratio", GST_TYPE_FRACTION, 1, 1, nullptr));
    g_object_set(size_.get(), "caps", scaled.get(), nullptr);
}

void Encoder::forceKeyFrameIfDue(Microseconds mediaTime) {
    if (form_ == EncoderForm::jpeg) return;
    const Microseconds since = mediaTime - lastKey_;
    const bool due = keyNow_ || since >= kKeyInterval || (keyWanted_ && since >= kLeastKeyInterval);
    if (!due) return;
    lastKey_ = mediaTime;
    keyWanted_ = keyNow_ = false;
    const auto pad = adopt(gst_element_get_static_pad(encoder_.get(), "src"));
    gst_pad_send_event(pad.get(), gst_video_event_new_upstream_force_key_unit(GST_CLOCK_TIME_NONE, TRUE, 0));
}

std::optional<PictureStamp> Encoder::stampOf(Microseconds mediaTime) {
    const std::lock_guard lock(mutex_);
    while (!inFlight_.empty() && inFlight_.front().mediaTime < mediaTime) {
        inFlight_.pop_front();
        ++dropped_;
    }
    if (inFlight_.empty() || inFlight_.front().mediaTime != mediaTime) return std::nullopt;
    const PictureStamp stamp = inFlight_.front();
    inFlight_.pop_front();
    return stamp;
}

void Encoder::deliver(GstSample* sample, CodingReader& reader) {
    const auto coding = reader.read(gst_sample_get_caps(sample));
    GstBuffer* buffer = gst_sample_get_buffer(sample);
    // x264enc moves time stamps by 1000 h and its segment with them: only running time stays what it was.
    const auto time = runningTime(gst_sample_get_segment(sample), GST_BUFFER_PTS(buffer));
    if (!coding || !time) return;
    const auto stamp = stampOf(*time);
    GstMapInfo map;
    if (!stamp || !gst_buffer_map(buffer, &map, GST_MAP_READ)) return;

    AccessUnit unit;
    unit.data = {map.data, map.size};
    unit.pts = stamp->mediaTime;
    if (coding->frameRate > 0) unit.duration = Microseconds(std::llround(1e6 / coding->frameRate));
    unit.keyFrame = form_ == EncoderForm::jpeg || !GST_BUFFER_FLAG_IS_SET(buffer, GST_BUFFER_FLAG_DELTA_UNIT);
    {
        const std::lock_guard lock(mutex_);
        if (unit.keyFrame) lastKey_ = std::max(lastKey_, unit.pts);
        if (link_) link_->coded(unit.data.size());
        const auto verdict = obedience_.coded(unit.data.size(), unit.pts);
        if (form_ == EncoderForm::h264 && verdict != RateObedience::Verdict::obeys) verdict_ = verdict;
    }
    delivered_ = true;
    take_(unit, coding, *stamp);
    gst_buffer_unmap(buffer, &map);
}

}  // namespace edgecam::capture
