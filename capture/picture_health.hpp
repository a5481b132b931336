// PictureHealth: whether the pictures that come are a camera's view or the same one again and again, or
// black. Says when to open the camera anew, once, and when that did not help. Pure: it looks at no more than
// a trace of each picture, and time is told.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "base/clock.hpp"
#include "base/picture.hpp"

namespace edgecam::capture {

/// What is kept of a picture.
struct LumaTrace {
    std::uint64_t hash = 0;  ///< of every 16th row of the luma
    double mean = 0;         ///< of an eighth of these rows' pixels, 0 to 255
    double deviation = 0;    ///< of the same, the standard one
};

/// Reads a sixteenth of the picture: 17 µs in 1280x720, 180 µs in 3840x2160 on a server's core.
LumaTrace lumaTraceOf(const Picture& picture);

/// How long something must be so to count; 0: it is not looked for.
struct PictureLimits {
    Microseconds frozenAfter{0};
    Microseconds blackAfter{0};
    [[nodiscard]] bool none() const {
        return frozenAfter == Microseconds(0) && blackAfter == Microseconds(0);
    }
    bool operator==(const PictureLimits&) const = default;
};

/// Not thread-safe.
class PictureHealth {
  public:
    enum class Fault { none, frozen, black };

    /// Black in limited range is 16 (ITU-R BT.601), in full range 0; a sensor in the dark has noise.
    static constexpr double kBlackMean = 24;
    static constexpr double kBlackDeviation = 2;
    /// A coded stream gives the same picture again where nothing moves; one that is coded afresh, with noise,
    /// differs.
    static constexpr std::uint64_t kFreshPictures = 2;
    /// Well for so long, the camera is opened anew again when its pictures stand still the next time.
    static constexpr Microseconds kProven = std::chrono::seconds(60);

    explicit PictureHealth(PictureLimits limits) : limits_(limits) {}

    /// Whether anything is looked for.
    [[nodiscard]] bool asked() const { return !limits_.none(); }

    /// A picture, in order. `fresh`: how many pictures that build on no other the source gave so far.
    void saw(const LumaTrace& trace, Monotonic now, std::uint64_t fresh);
    /// The source was closed. What was wrong counts until a picture shows that it is over.
    void brokeOff();
    /// The camera is being opened anew because of the fault.
    void restarted() { restartSpent_ = true; }

    [[nodiscard]] Fault fault() const { return fault_; }
    /// There is a fault, and opening the camera anew was not tried yet.
    [[nodiscard]] bool wantsRestart() const { return fault_ != Fault::none && !restartSpent_; }
    /// A sentence; empty without a fault.
    [[nodiscard]] std::string reason() const;

  private:
    [[nodiscard]] bool isFrozen(Monotonic now, std::uint64_t fresh) const;
    [[nodiscard]] bool isBlack(Monotonic now) const;

    const PictureLimits limits_;
    std::optional<std::uint64_t> hash_;  ///< of the last picture
    Monotonic sameSince_{};
    std::uint64_t freshBefore_ = 0;  ///< at the first of those that are the same
    std::optional<Monotonic> blackSince_;
    Fault fault_ = Fault::none;
    Monotonic wellSince_{};
    bool restartSpent_ = false;
};

}  // namespace edgecam::capture
