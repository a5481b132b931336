// The one place where GStreamer's C handles become C++ ones: ownership, pipelines, trampolines. It knows no
// camera. Two named ways in: adopt() takes over a reference ("transfer full"), sink() takes a floating one.
#pragma once

#include <gst/gst.h>

#include <concepts>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "base/clock.hpp"
#include "base/result.hpp"

namespace edgecam::capture {

/// Initialises GStreamer. Idempotent and thread-safe; call it before anything else in this folder.
void startGStreamer();

template <class T>
concept MiniObject = std::same_as<T, GstBuffer> || std::same_as<T, GstCaps> || std::same_as<T, GstSample> ||
    std::same_as<T, GstMessage> || std::same_as<T, GstEvent>;

template <class T>
struct Release {
    void operator()(T* object) const noexcept {
        if constexpr (MiniObject<T>) {
            gst_mini_object_unref(GST_MINI_OBJECT_CAST(object));
        } else if constexpr (std::same_as<T, GError>) {
            g_error_free(object);
        } else if constexpr (std::same_as<T, gchar>) {
            g_free(object);
        } else {
            gst_object_unref(object);
        }
    }
};

template <class T>
using Handle = std::unique_ptr<T, Release<T>>;

template <class T>
Handle<T> adopt(T* object) {
    return Handle<T>(object);
}

template <class T>
Handle<T> sink(T* object) {
    return Handle<T>(object ? static_cast<T*>(gst_object_ref_sink(object)) : nullptr);
}

template <MiniObject T>
Handle<T> hold(T* object) {
    return Handle<T>(reinterpret_cast<T*>(gst_mini_object_ref(GST_MINI_OBJECT_CAST(object))));
}

/// A pipeline that goes to NULL before its last reference goes. NULL joins the streaming threads: never stop
/// it while holding a lock that one of its callbacks takes.
class Pipeline {
  public:
    /// Builds from gst-launch syntax. Text from outside belongs into properties, not into the description.
    static Result<Pipeline> parse(const std::string& description);

    Pipeline(Pipeline&&) noexcept = default;
    Pipeline& operator=(Pipeline&& other) noexcept;
    ~Pipeline() { stop(); }

    /// The element of that name; null when there is none.
    [[nodiscard]] Handle<GstElement> element(const char* name) const;
    [[nodiscard]] GstElement* top() const { return pipeline_.get(); }

    /// Bus messages, on the default GLib context. `seen` must not destroy the pipeline.
    void watch(std::function<void(GstMessage*)> seen);
    void unwatch() noexcept;
    /// Asynchronous for most sources: errors come over the bus, only the crude ones here.
    Result<void> play();
    void stop() noexcept;

    /// How long ago `runningTime` was on this pipeline's clock; negative when it lies ahead.
    [[nodiscard]] Microseconds ageOf(Microseconds runningTime) const;

  private:
    explicit Pipeline(Handle<GstElement> pipeline) : pipeline_(std::move(pipeline)) {}

    Handle<GstElement> pipeline_;
    std::unique_ptr<std::function<void(GstMessage*)>> seen_;
};

/// Calls `take` with every sample, on the sink's streaming thread. It must not block.
void onSample(GstElement* appsink, std::function<void(GstSample*)> take);

/// Where a buffer's time stamp lies on the running time; may be negative (decode times); nothing for NONE
/// or what is ten years off: a camera may say any time.
std::optional<Microseconds> runningTime(const GstSegment* segment, GstClockTime stamp);

/// The sentence of an ERROR or WARNING message, for people; what a camera wrote into it is harmless.
std::string sentenceOf(GstMessage* message);

bool elementExists(const char* factory);

/// A framerate as GStreamer writes it; 0 becomes 0/1 (unknown).
struct Fraction {
    int numerator = 0;
    int denominator = 1;
};
Fraction fractionOf(double rate);

}  // namespace edgecam::capture
