#include "capture/gst.hpp"

#include <gst/app/gstappsink.h>

#include <cstdlib>
#include <mutex>

#include "base/foreign_words.hpp"

namespace edgecam::capture {
namespace {

/// Ten years. No source runs that long, and sums of times stay in their range.
constexpr guint64 kLongestRun = guint64{10} * 365 * 24 * 3600 * GST_SECOND;

gboolean seeMessage(GstBus*, GstMessage* message, gpointer seen) noexcept {
    (*static_cast<std::function<void(GstMessage*)>*>(seen))(message);
    return G_SOURCE_CONTINUE;
}

using Take = std::function<void(GstSample*)>;

GstFlowReturn takeSample(GstAppSink* sink, gpointer take) noexcept {
    if (const auto sample = adopt(gst_app_sink_pull_sample(sink))) (*static_cast<Take*>(take))(sample.get());
    return GST_FLOW_OK;
}

void forgetTake(gpointer take) noexcept {
    delete static_cast<Take*>(take);
}

}  // namespace

void startGStreamer() {
    static std::once_flag once;
    std::call_once(once, [] {
        // Of a device that is gone, v4l2src of GStreamer 1.22 leaks the buffer pool, and with it an open file
        // of the node: while that is open, the kernel gives the camera another number when it is plugged in
        // again. Not so when told to drain the pool instead of leaving it to its last buffer.
        ::setenv("GST_V4L2_FORCE_DRAIN", "1", 0);
        gst_init(nullptr, nullptr);
    });
}

Result<Pipeline> Pipeline::parse(const std::string& description) {
    startGStreamer();
    GError* trouble = nullptr;
    auto made =
        sink(gst_parse_launch_full(description.c_str(), nullptr, GST_PARSE_FLAG_FATAL_ERRORS, &trouble));
    if (const auto error = adopt(trouble)) return Error{error->message};
    if (!GST_IS_PIPELINE(made.get())) return Error{"not a pipeline: " + description};
    return Pipeline(std::move(made));
}

Pipeline& Pipeline::operator=(Pipeline&& other) noexcept {
    stop();
    pipeline_ = std::move(other.pipeline_);
    seen_ = std::move(other.seen_);
    return *this;
}

Handle<GstElement> Pipeline::element(const char* name) const {
    return adopt(gst_bin_get_by_name(GST_BIN(pipeline_.get()), name));
}

void Pipeline::watch(std::function<void(GstMessage*)> seen) {
    seen_ = std::make_unique<std::function<void(GstMessage*)>>(std::move(seen));
    const auto bus = adopt(gst_element_get_bus(pipeline_.get()));
    gst_bus_add_watch(bus.get(), seeMessage, seen_.get());
}

Result<void> Pipeline::play() {
    if (gst_element_set_state(pipeline_.get(), GST_STATE_PLAYING) != GST_STATE_CHANGE_FAILURE) return {};
    const auto bus = adopt(gst_element_get_bus(pipeline_.get()));
    const auto message = adopt(gst_bus_pop_filtered(bus.get(), GST_MESSAGE_ERROR));
    return Error{message ? sentenceOf(message.get()) : "the pipeline does not start"};
}

void Pipeline::unwatch() noexcept {
    if (!seen_) return;
    const auto bus = adopt(gst_element_get_bus(pipeline_.get()));
    gst_bus_remove_watch(bus.get());
    seen_.reset();
}

void Pipeline::stop() noexcept {
    if (!pipeline_) return;
    unwatch();
    gst_element_set_state(pipeline_.get(), GST_STATE_NULL);
}

Microseconds Pipeline::ageOf(Microseconds running) const {
    const auto clock = adopt(gst_element_get_clock(pipeline_.get()));
    if (!clock) return Microseconds(0);
    const auto now = static_cast<std::int64_t>(gst_clock_get_time(clock.get()));
    const auto base = static_cast<std::int64_t>(gst_element_get_base_time(pipeline_.get()));
    return Microseconds((now - base) / 1000) - running;
}

void onSample(GstElement* appsink, Take take) {
    GstAppSinkCallbacks callbacks{};
    callbacks.new_sample = takeSample;
    gst_app_sink_set_callbacks(GST_APP_SINK(appsink), &callbacks, new Take(std::move(take)), forgetTake);
}

std::optional<Microseconds> runningTime(const GstSegment* segment, GstClockTime stamp) {
    if (!GST_CLOCK_TIME_IS_VALID(stamp)) return std::nullopt;
    guint64 distance = 0;
    const int sign = gst_segment_to_running_time_full(segment, GST_FORMAT_TIME, stamp, &distance);
    if (sign == 0 || distance > kLongestRun) return std::nullopt;
    return Microseconds(sign * static_cast<std::int64_t>(distance / 1000));
}

std::string sentenceOf(GstMessage* message) {
    GError* raw = nullptr;
    if (GST_MESSAGE_TYPE(message) == GST_MESSAGE_WARNING) {
        gst_message_parse_warning(message, &raw, nullptr);
    } else {
        gst_message_parse_error(message, &raw, nullptr);
    }
    const auto error = adopt(raw);
    return error ? harmless(error->message) : "unknown trouble";
}

bool elementExists(const char* factory) {
    startGStreamer();
    return adopt(gst_element_factory_find(factory)) != nullptr;
}

Fraction fractionOf(double rate) {
    Fraction fraction;
    if (rate > 0) gst_util_double_to_fraction(rate, &fraction.numerator, &fraction.denominator);
    return fraction;
}

}  // namespace edgecam::capture
