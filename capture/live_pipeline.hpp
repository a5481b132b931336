// LivePipeline: a pipeline whose driver may hang. It is prepared, started and stopped on threads of
// GStreamer's own, so that neither a wedged device nor a wedged encoder holds up whoever owns it. It knows no
// camera.
#pragma once

#include <functional>
#include <memory>
#include <optional>

#include "capture/gst.hpp"

namespace edgecam::capture {

/// Thread-bound (main), but for element(), ageOf() and perform(), which are thread-safe.
class LivePipeline {
  public:
    /// Does what has to be done before the pipeline plays and may block on a device, e.g. looks at its modes.
    /// Called once, on another thread; it must not use its pipeline's owner, which may be gone.
    using Prepare = std::function<Result<void>(GstElement* pipeline)>;

    /// `hold` is let go when the pipeline has ended for good and its devices are free again, which may be
    /// long after the destructor.
    explicit LivePipeline(Pipeline pipeline, std::shared_ptr<void> hold = {});
    /// Waits for a callback that is running and for nothing else: after it no callback comes. Never call it
    /// while holding a lock that one of them takes.
    ~LivePipeline();
    LivePipeline(const LivePipeline&) = delete;
    LivePipeline& operator=(const LivePipeline&) = delete;

    /// The element of that name; null when there is none.
    [[nodiscard]] Handle<GstElement> element(const char* name) const;
    /// How long ago `runningTime` was on this pipeline's clock; negative when it lies ahead.
    [[nodiscard]] Microseconds ageOf(Microseconds runningTime) const;

    /// Calls `take` with every sample of the appsink of that name, on its streaming thread. It must not
    /// block. For one sink of the pipeline.
    void onSample(const char* appsink, std::function<void(GstSample*)> take);
    /// Bus messages, on the default GLib context. `seen` must not destroy the pipeline.
    void watch(std::function<void(GstMessage*)> seen);
    /// Starts, soon. Whatever fails comes as an ERROR over the bus.
    void play(Prepare prepare = {});
    /// Does, soon, what takes locks of the whole pipeline, e.g. seeks: on another thread and never beside a
    /// change of state, with which GStreamer would dead-lock. Not at all once the pipeline is let go. Like
    /// Prepare it must not use the pipeline's owner: what it finds out it posts on the bus.
    void perform(std::function<void(GstElement* pipeline)> job);

    /// Waits until every pipeline that was let go has ended, for at most `limit`. For the end of the program:
    /// a camera is told good-bye, and no streaming thread outlives main().
    static bool awaitEnds(Microseconds limit);
    /// How long ago the one was let go that has been ending longest; nothing: all have ended. Any thread.
    static std::optional<Microseconds> oldestEnd();

  private:
    struct Life;
    const std::shared_ptr<Life> life_;
};

}  // namespace edgecam::capture
