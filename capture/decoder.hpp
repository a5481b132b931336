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

    /// Starts, stops, and restarts after a failure, as `wanted` and the back-off say. Where all pictures are
    /// wanted and were not before, the stream's current group is decoded first, of which only the newest
    /// picture comes out, so that the next one comes at once; where the stream keeps no group, the next key
    /// frame is the first. With key frames only, the group's is the first; where they turn out to need other
    /// pictures (some cameras' open groups), all are decoded instead. No picture comes out twice or
    /// behind a later one. Call it now and then.
    void run(Decoding wanted);
    [[nodiscard]] bool running() const { return pipeline_.has_value(); }
    [[nodiscard]] Decoding decoding() const { return running() ? decoding_ : Decoding::none; }
    /// Whether pictures have come since it was started.
    [[nodiscard]] bool delivers() const { return running() && delivered_; }
    [[nodiscard]] std::uint64_t failures() const { return failures_; }
    /// Access units left out because the decoder was too slow: up to the next key frame each time.
    [[nodiscard]] std::uint64_t dropped() const { return dropped_; }

    /// Called for every chunk of the stream, under its lock. Does nothing while not running.
    void feed(const Chunk& chunk, const std::shared_ptr<const Coding>& coding);

  private:
    /// A picture that was given to the pipeline and has not come out.
    struct Pending {
        PictureStamp stamp;
        Microseconds time;  ///< of the pipeline
        bool shown;         ///< else it is decoded for others to build on
        bool alone;         ///< a key frame behind which none of its group is fed
    };

    void start(Decoding wanted);
    void stop();
    void fail(const std::string& cause);
    bool keyFramesSuffice(Codec codec);
    void decodeAll();
    void decodeKeyFrames();
    void begin(Decoding decoding, const Backlog& backlog, const std::shared_ptr<const Coding>& coding);
    void feedLocked(const Chunk& chunk, const std::shared_ptr<const Coding>& coding, bool shown);
    void drain();
    void deliver(GstSample* sample);
    std::optional<PictureStamp> stampOf(Microseconds time);

    const ChunkStream& stream_;
    const Timeline& timeline_;
    const Clock& clock_;
    const Take take_;

    // Main thread.
    std::optional<LivePipeline> pipeline_;
    Codec codec_ = Codec::h264;
    Decoding decoding_ = Decoding::all;  ///< set under mutex_ too, for feed()
    BackOff backOff_;
    Monotonic retryAt_{};
    std::uint64_t failures_ = 0;
    std::optional<std::string> failure_;

    std::atomic<std::uint64_t> dropped_{0};
    std::atomic<bool> delivered_{false};

    std::mutex mutex_;          ///< guards what follows; never held while the pipeline stops
    Handle<GstElement> input_;  ///< appsrc; null while not running
    std::shared_ptr<const Coding> coding_;
    std::deque<Pending> inFlight_;
    PictureStamp latest_;  ///< of those that came out
    /// The pipeline's time − media time. It grows before a group is decoded once more: to a decoder time only
    /// goes forward.
    Microseconds shift_{0};
    bool awaitsKey_ = true;
    std::optional<Microseconds> keyFedAt_;  ///< media time of the last key frame that was fed alone
    bool needOthers_ = false;               ///< key frames alone did not come out
};

}  // namespace edgecam::capture
