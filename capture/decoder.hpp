// Decoder: a pipeline of its own that turns a camera's coded chunks back into pictures, while somebody looks.
// Every picture comes out with the number it went in with. Its trouble never touches the camera. It knows no
// consumer.
#pragma once

#include <atomic>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>

#include "base/media.hpp"
#include "base/picture.hpp"
#include "capture/back_off.hpp"
#include "capture/chunk_stream.hpp"
#include "capture/coding.hpp"
#include "capture/gst.hpp"
#include "capture/live_pipeline.hpp"
#include "capture/timeline.hpp"

namespace edgecam::capture {

/// run() and destruction are thread-bound (main); feed() is thread-safe.
class Decoder {
  public:
    /// Called on the decoder's streaming thread, in order of presentation; must not block.
    using Take = std::function<void(const Picture&, const PictureStamp&)>;

    /// All must outlive the decoder. `stream` is the passthrough whose chunks are fed.
    Decoder(const ChunkStream& stream, const Timeline& timeline, const Clock& clock, Take take);
    ~Decoder();
    Decoder(const Decoder&) = delete;
    Decoder& operator=(const Decoder&) = delete;

    /// Starts, stops, and restarts after a failure, as `wanted` and the back-off say. A start decodes the
    /// stream's current group first, so that the next picture comes at once. Call it now and then.
    void run(bool wanted);
    [[nodiscard]] bool running() const { return pipeline_.has_value(); }
    /// Whether pictures have come since it was started.
    [[nodiscard]] bool delivers() const { return running() && delivered_; }
    [[nodiscard]] std::uint64_t failures() const { return failures_; }
    /// Access units left out because the decoder was too slow: up to the next key frame each time.
    [[nodiscard]] std::uint64_t dropped() const { return dropped_; }

    /// Called for every chunk of the stream, under its lock. Does nothing while not running.
    void feed(const Chunk& chunk, const std::shared_ptr<const Coding>& coding);

  private:
    void start();
    void stop();
    void fail(const std::string& cause);
    void warmUp(const Backlog& backlog, const std::shared_ptr<const Coding>& coding);
    void feedLocked(const Chunk& chunk, const std::shared_ptr<const Coding>& coding);
    void deliver(GstSample* sample);
    std::optional<PictureStamp> stampOf(Microseconds mediaTime);

    const ChunkStream& stream_;
    const Timeline& timeline_;
    const Clock& clock_;
    const Take take_;

    // Main thread.
    std::optional<LivePipeline> pipeline_;
    Codec codec_ = Codec::h264;
    BackOff backOff_;
    Monotonic retryAt_{};
    std::uint64_t failures_ = 0;
    std::optional<std::string> failure_;

    std::atomic<std::uint64_t> dropped_{0};
    std::atomic<bool> delivered_{false};

    std::mutex mutex_;          ///< guards what follows; never held while the pipeline stops
    Handle<GstElement> input_;  ///< appsrc; null while not running
    std::shared_ptr<const Coding> coding_;
    std::deque<PictureStamp> inFlight_;
    std::uint32_t showFrom_ = 0;  ///< what is older was decoded for warming up only
    bool awaitsKey_ = true;
};

}  // namespace edgecam::capture
