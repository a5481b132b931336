// Encoder: a pipeline of its own that makes H.264 or JPEG from decoded pictures, for one rendition. It costs
// nothing until it runs, its failure touches nobody else, and it follows new settings without a break. It
// knows no camera; times are media times.
#pragma once

#include <atomic>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <vector>

#include "base/link_gate.hpp"
#include "base/picture.hpp"
#include "capture/back_off.hpp"
#include "capture/cmaf_muxer.hpp"
#include "capture/coding.hpp"
#include "capture/encoder_choice.hpp"
#include "capture/encoder_settings.hpp"
#include "capture/gst.hpp"
#include "capture/live_pipeline.hpp"
#include "capture/picture_gate.hpp"
#include "capture/rate_obedience.hpp"
#include "capture/timeline.hpp"

namespace edgecam::capture {

enum class EncoderForm { h264, jpeg };

/// The largest even size of the source's aspect ratio within `wanted` (0: that side is free); never scaled
/// up.
Size fittedSize(Size source, Size wanted);

/// run(), tune() and destruction are thread-bound (main); the rest is thread-safe.
class Encoder {
  public:
    /// A coded picture, its coding and the stamp of the picture it was made from. Called on the encoder's
    /// streaming thread; must not block.
    using Take =
        std::function<void(const AccessUnit&, const std::shared_ptr<const Coding>&, const PictureStamp&)>;

    /// `kinds`: of H.264 encoders, best first; what it refers to must outlive the encoder.
    Encoder(EncoderForm form, const EncoderSettings& settings, const Clock& clock, Take take,
            std::span<const EncoderKind> kinds = encoderKinds());
    ~Encoder();
    Encoder(const Encoder&) = delete;
    Encoder& operator=(const Encoder&) = delete;

    /// Starts, stops, and restarts after a failure, as `wanted` and the back-off say. Call it now and then.
    void run(bool wanted);
    [[nodiscard]] bool running() const { return pipeline_.has_value(); }
    /// Times it ended by itself, gave nothing or did not follow its bitrate, and so was built anew.
    [[nodiscard]] std::uint64_t failures() const { return failures_; }
    /// Pictures that were pushed and never came out.
    [[nodiscard]] std::uint64_t dropped() const { return dropped_; }

    void tune(const EncoderSettings& settings);
    /// Asked before each picture; null: all are taken.
    void setGate(std::shared_ptr<LinkGate> gate);
    /// Forces a key frame soon, at most one a second.
    void requestKeyFrame();
    /// The next picture becomes a key frame: the source broke off.
    void breakOff();

    /// Does nothing while it is not running. Never blocks: when the encoder is late, older pictures are
    /// dropped.
    void push(const Picture& picture, const PictureStamp& stamp, double sourceRate);

  private:
    struct Input {
        Size size;
        double rate = 0;
        bool operator==(const Input&) const = default;
    };

    Result<void> start();
    [[nodiscard]] bool letGo() const;
    void stop();
    void fail(const std::string& cause);
    void makeObey();
    void setBitrate();
    [[nodiscard]] std::string description() const;
    void follow(const Input& input);
    void forceKeyFrameIfDue(Microseconds mediaTime);
    void deliver(GstSample* sample, CodingReader& reader);
    std::optional<PictureStamp> stampOf(Microseconds mediaTime);

    const EncoderForm form_;
    const Clock& clock_;
    const Take take_;
    const std::span<const EncoderKind> kinds_;

    // Main thread.
    std::optional<LivePipeline> pipeline_;
    BackOff backOff_;
    Monotonic retryAt_{};
    std::size_t kind_ = 0;  ///< index into kinds_
    std::vector<std::weak_ptr<void>>
        holds_;  ///< of each kind, alive until its last pipeline has let go of it
    std::optional<Monotonic> stoppedAt_;
    std::uint64_t failures_ = 0;
    std::optional<std::string> failure_;

    std::atomic<std::uint64_t> dropped_{0};
    std::atomic<bool> delivered_{false};

    std::mutex mutex_;  ///< guards what follows; never held while the pipeline stops
    EncoderSettings settings_;
    Handle<GstElement> input_;  ///< appsrc; null while not running
    Handle<GstElement> size_;   ///< capsfilter behind the scaler
    Handle<GstElement> encoder_;
    std::optional<Input> in_;  ///< what the pipeline was told last
    bool retuned_ = false;
    PictureGate gate_;
    std::shared_ptr<LinkGate> link_;
    RateObedience obedience_;
    RateObedience::Verdict verdict_ = RateObedience::Verdict::obeys;  ///< to be acted on
    std::deque<PictureStamp> inFlight_;
    Microseconds lastPushed_{-1};
    Microseconds lastKey_{0};  ///< media time of the last key frame made or asked for
    bool keyWanted_ = false;
    bool keyNow_ = false;
};

}  // namespace edgecam::capture
