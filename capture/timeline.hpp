// Timeline: a camera's own time. Every generation of its source counts from its own zero; here the pictures
// of all of them get one number, one media time and one capture time. A camera's streams have one each. Pure:
// time comes from a Clock.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <utility>

#include "base/clock.hpp"

namespace edgecam::capture {

/// When a picture was taken, as its source says.
struct SourceTime {
    Microseconds running{0};  ///< on the running time of this generation of the source
    Microseconds age{0};      ///< how long ago that was; negative when clock smoothing lets it lie ahead
    std::optional<std::uint32_t> number;  ///< counted by the source from 1; gaps are pictures it left out
    std::optional<Utc> taken;             ///< known better than by `age`
};

/// What a picture is known by, from here on and in every rendition. Each of the first three
/// members alone is unique for its stream, the first one for the camera.
struct PictureStamp {
    std::uint32_t sequence = 0;  ///< from 1; with several streams each has gaps where the others' numbers are
    Utc captureTime;
    Microseconds mediaTime{
        0};                  ///< on the camera's running time: what the muxer, decoder and encoder count in
    Monotonic capturedAt{};  ///< by the source's `age`: no clock but this machine's has to be right
};

/// Whether a picture comes after a newer one by so little that it is another stream's that lags behind. More
/// is a camera that has set its clock.
inline bool isBehind(Microseconds mediaTime, Microseconds newest) {
    return mediaTime <= newest && newest - mediaTime < std::chrono::seconds(1);
}

/// What all streams of one camera count in: no number is given twice, and running time began once for all.
/// Thread-safe.
class CameraCount {
  public:
    [[nodiscard]] std::uint32_t last() const;
    /// Gives out `wanted`, or the number behind the last one where that is higher.
    std::uint32_t take(std::uint32_t wanted);
    /// When running time was 0; nothing before any stream's first picture.
    [[nodiscard]] std::optional<Monotonic> zero() const;
    void began(Monotonic zero);  ///< only the first one counts
    /// The greatest media time of all streams: what comes in their place begins behind it.
    [[nodiscard]] Microseconds latest() const;
    void reached(Microseconds mediaTime);

  private:
    mutable std::mutex mutex_;
    std::uint32_t last_ = 0;
    std::optional<Monotonic> zero_;
    Microseconds latest_{0};
};

/// Thread-safe.
class Timeline {
  public:
    /// The first picture's media time: room below it for decode times that lie before their presentation.
    static constexpr Microseconds kFirstMediaTime = std::chrono::milliseconds(500);

    /// `count`: shared with the camera's other streams, or left by a camera that was here before: then media
    /// time goes on behind its.
    explicit Timeline(const Clock& clock,
                      std::shared_ptr<CameraCount> count = std::make_shared<CameraCount>())
        : clock_(clock), count_(std::move(count)), latest_(count_->latest()) {}

    /// The next stamps belong to a source that was opened anew: its zero is where real time has got to.
    void beginGeneration();

    /// Stamps pictures in the order in which they come. Within a generation media time is running time plus a
    /// constant (so B-frames keep their distances); equal times are moved apart by 1 µs.
    PictureStamp stamp(const SourceTime& time);

    /// The stamp of one of the last kMemory pictures.
    [[nodiscard]] std::optional<PictureStamp> find(std::uint32_t sequence) const;

    /// Pictures a second, measured once in every generation, over its first 32 intervals; 0 until then. Whole
    /// where it nearly is.
    [[nodiscard]] double measuredRate() const;

    static constexpr std::size_t kMemory = 512;  ///< more than a GOP cache can hold

  private:
    [[nodiscard]] Microseconds shiftFor(const SourceTime& time) const;
    [[nodiscard]] bool taken(const PictureStamp& stamp) const;
    [[nodiscard]] double rateOfNewest() const;

    const Clock& clock_;
    const std::shared_ptr<CameraCount> count_;
    mutable std::mutex mutex_;
    std::optional<Microseconds>
        shift_;            ///< media time − running time; nothing until a generation's first picture
    Microseconds latest_;  ///< greatest media time so far
    std::uint32_t generationBase_ = 0;  ///< last sequence before this generation
    std::uint64_t stamped_ = 0;
    std::uint64_t generationCount_ = 0;           ///< pictures of this generation
    double measuredRate_ = 0;                     ///< of this generation; 0: not known yet
    std::array<PictureStamp, kMemory> memory_{};  ///< in the order of stamping
};

}  // namespace edgecam::capture
