// Timeline: a camera's own time. Every generation of its source counts from its own zero; here the pictures
// of all of them get one number, one media time and one capture time. Pure: time comes from a Clock.
#pragma once

#include <array>
#include <cstdint>
#include <mutex>
#include <optional>

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
/// members alone is unique for the camera.
struct PictureStamp {
    std::uint32_t sequence = 0;  ///< from 1
    Utc captureTime;
    Microseconds mediaTime{
        0};                  ///< on the camera's running time: what the muxer, decoder and encoder count in
    Monotonic capturedAt{};  ///< by the source's `age`: no clock but this machine's has to be right
};

/// Thread-safe.
class Timeline {
  public:
    /// The first picture's media time: room below it for decode times that lie before their presentation.
    static constexpr Microseconds kFirstMediaTime = std::chrono::milliseconds(500);

    explicit Timeline(const Clock& clock) : clock_(clock) {}

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
    [[nodiscard]] std::uint32_t numberFor(const SourceTime& time) const;
    [[nodiscard]] bool taken(const PictureStamp& stamp) const;
    [[nodiscard]] double rateOfNewest() const;

    const Clock& clock_;
    mutable std::mutex mutex_;
    std::optional<Microseconds>
        shift_;  ///< media time − running time; nothing until a generation's first picture
    std::optional<Monotonic> zero_;     ///< when media time was 0
    Microseconds latest_{0};            ///< greatest media time so far
    std::uint32_t last_ = 0;            ///< sequence
    std::uint32_t generationBase_ = 0;  ///< last sequence of the generation before
    std::uint64_t count_ = 0;
    std::uint64_t generationCount_ = 0;           ///< pictures of this generation
    double measuredRate_ = 0;                     ///< of this generation; 0: not known yet
    std::array<PictureStamp, kMemory> memory_{};  ///< in the order of stamping
};

}  // namespace edgecam::capture
