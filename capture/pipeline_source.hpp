// PipelineSource: a source that is a GStreamer pipeline. Each kind brings its own plan; what comes out of its
// one appsink, how trouble is read from the bus and how a file starts over is the same for all.
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "capture/gst.hpp"
#include "capture/known_device.hpp"
#include "capture/live_pipeline.hpp"
#include "capture/source.hpp"

namespace edgecam::capture {

/// A pipeline that ends in an appsink called `out`, which gets H.264, H.265 (as in `newCapsOf`) or I420.
struct SourcePlan {
    Pipeline pipeline;
    LivePipeline::Prepare prepare{};                    ///< what has to look at a device or a disk first
    std::function<void(GstElement* pipeline)> check{};  ///< looks at a playing device; may block on it
    bool loops = false;     ///< a file, read by the demuxer called `in`: at its end it starts over
    std::string address{};  ///< "host:port" of a camera on the network, for sentences about it; else empty
    std::shared_ptr<KnownDevice> device{};  ///< of a V4L2 camera, for sentences about it; else null
};

Result<SourcePlan> planRtsp(const SourceUri& uri);
Result<SourcePlan> planV4l2(const SourceUri& uri, const std::shared_ptr<KnownDevice>& known);
Result<SourcePlan> planFile(const SourceUri& uri);

/// Builds `description` (a chain from an element called `head` to one called `tail`), puts it between `pad`
/// and the pipeline's `out`, and sets it going. For pads that show up late; called on streaming threads. Does
/// nothing when `out` is taken already.
void attachChain(GstElement* pipelineElement, GstPad* pad, const char* description);

/// Posts an error as if `element` had failed.
void postError(GstElement* element, const std::string& cause);

class PipelineSource final : public Source {
  public:
    static Result<std::unique_ptr<Source>> open(const SourceUri& uri, Callbacks callbacks, SourceKeep keep);

    void check() override;

  private:
    PipelineSource(SourcePlan plan, Callbacks callbacks, std::shared_ptr<void> hold);

    void start(LivePipeline::Prepare prepare);
    void see(GstMessage* message);
    [[nodiscard]] SourceFailure failureOf(GstMessage* message) const;
    void fail(const SourceFailure& failure);
    void take(GstSample* sample);
    void takeCoded(GstSample* sample, const SourceTime& time);
    void takeRaw(GstSample* sample, const SourceTime& time);

    const Callbacks callbacks_;
    const bool loops_;
    const std::string address_;
    const std::shared_ptr<KnownDevice> device_;
    const std::function<void(GstElement*)> check_;
    /// While a look at the device is under way, which may hang there.
    const std::shared_ptr<std::atomic<bool>> checking_ = std::make_shared<std::atomic<bool>>(false);
    std::atomic<bool> seekable_{true};
    bool looping_ = false;  ///< of the streaming thread
    bool failed_ = false;
    CodingReader reader_;
    LivePipeline pipeline_;  // last: it stops before what its callbacks use goes
};

}  // namespace edgecam::capture
