// LiveSource: a source that is kept alive. Opens it, supervises it, opens it again; numbers its pictures and
// offers them in two forms: its own coding as a rendition, and decoded while somebody needs them. It knows no
// consumer and no encode.
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>

#include "base/bitrate_meter.hpp"
#include "capture/chunk_stream.hpp"
#include "capture/decoder.hpp"
#include "capture/key_interval.hpp"
#include "capture/known_device.hpp"
#include "capture/picture_gate.hpp"
#include "capture/picture_health.hpp"
#include "capture/placement.hpp"
#include "capture/source.hpp"
#include "capture/supervisor.hpp"
#include "capture/timeline.hpp"

namespace edgecam::capture {

/// Thread-bound (main), but for facts(), kbps(), keysTooFarApart() and keyFramesSuffice(), which are
/// thread-safe.
class LiveSource {
  public:
    struct Callbacks {
        /// On streaming threads, in order, under the rendition's lock. Must not block.
        std::function<void(const Chunk&)> chunk;
        /// On streaming threads: a picture as it was taken or decoded, and pictures a second (0: not known).
        /// Must not block.
        std::function<void(const Picture&, const PictureStamp&, double rate)> picture;
        std::function<void()> brokeOff;  ///< it was closed; what comes next begins anew
        std::function<void()> changed;   ///< on any thread: supervise() is due
    };

    /// `kind`: what its own coding is as a rendition. `limits`: when its pictures are held to be no view.
    /// `count`: of the camera, all its sources'. `clock` must outlive it. Opens nothing yet.
    LiveSource(const SourceUri& uri, RenditionKind kind, PictureLimits limits,
               std::shared_ptr<CameraCount> count, bool enabled, const Clock& clock, Callbacks callbacks);

    void enable(bool enabled) { supervisor_.enable(enabled); }
    /// Closed at the next supervise() while it is not; at first it is.
    void need(bool needed) { supervisor_.need(needed); }
    /// Opens and closes as the supervisor says. Call it now and then.
    void supervise();
    /// A V4L2 device appeared, which may be the one that is waited for.
    void deviceAppeared();
    /// Which pictures are needed that only a decoder gives. While something is wrong with them all are
    /// decoded anyway: else nobody would see that it is over. Call it now and then.
    void decode(Decoding wanted);

    [[nodiscard]] const Supervisor& supervisor() const { return supervisor_; }
    [[nodiscard]] const Decoder& decoder() const { return decoder_; }
    [[nodiscard]] ChunkStream& stream() { return passthrough_; }
    [[nodiscard]] const ChunkStream& stream() const { return passthrough_; }
    [[nodiscard]] bool isOpen() const { return source_ != nullptr; }
    [[nodiscard]] SourceFacts facts() const;
    /// What its own coding takes over the last seconds; 0: not known, or it gives raw pictures.
    [[nodiscard]] int kbps() const;
    /// As KeyInterval::tooLong(), of its own coding.
    [[nodiscard]] std::optional<Microseconds> keysTooFarApart() const;
    /// Whether key frames alone show soon enough that something goes on: they are known to come often, and
    /// what came since the last one is at hand for who then needs all.
    [[nodiscard]] bool keyFramesSuffice() const;
    /// Why its device may be another than is meant; empty: it is not, or it is no V4L2 device.
    [[nodiscard]] std::string deviceWarning() const { return device_ ? device_->warning() : std::string(); }
    /// Pictures so far.
    [[nodiscard]] std::uint64_t pictures() const { return pictures_; }

  private:
    void heedTrouble();
    void openWhenFree();
    void open();
    void close();

    // On streaming threads.
    void takeCoded(AccessUnit unit, const std::shared_ptr<const Coding>& coding, const SourceTime& time);
    void takeRaw(Picture picture, double frameRate, const SourceTime& time);
    void note(std::optional<Codec> codec, Size size, double frameRate);
    void examine(const Picture& picture, Microseconds time);

    const SourceUri uri_;
    const std::shared_ptr<KnownDevice> device_;  ///< null: no V4L2 device
    const Clock& clock_;
    const Callbacks callbacks_;
    Timeline timeline_;
    Supervisor supervisor_;

    mutable std::mutex factsMutex_;
    SourceFacts facts_;
    mutable BitrateMeter coded_;          ///< under factsMutex_
    KeyInterval keys_;                    ///< of its own coding; under factsMutex_
    std::atomic<double> rate_{0};         ///< facts_.frameRate, for the path of the pictures
    std::atomic<double> certainRate_{0};  ///< told or measured since the source was opened; 0: not yet
    std::atomic<Microseconds::rep> lastPicture_{0};
    std::atomic<std::uint64_t> pictures_{0};
    std::atomic<std::uint64_t> freshPictures_{0};  ///< that build on no other

    mutable std::mutex healthMutex_;
    PictureHealth health_;    ///< under healthMutex_
    PictureGate healthGate_;  ///< under healthMutex_
    Monotonic checkedAt_{};   ///< when the device was asked last

    ChunkStream passthrough_;
    Decoder decoder_;
    std::weak_ptr<void> hold_;             ///< alive until the device that was opened last is free again
    std::optional<Monotonic> openWanted_;  ///< since when a source is to be opened and is not yet
    std::unique_ptr<Source> source_;       // last: the flow stops at its spring
};

}  // namespace edgecam::capture
