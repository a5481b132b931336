// RateObedience: whether an encoder gives what it was told to give. Some drivers take a new bitrate while
// they run and go on as before: such a one is told again, and built anew if that changes nothing. Pure; it
// knows no encoder, and counts by media time.
#pragma once

#include <cstddef>
#include <deque>

#include "base/clock.hpp"

namespace edgecam::capture {

/// Not thread-safe.
class RateObedience {
  public:
    enum class Verdict { obeys, tellAgain, rebuild };

    /// A second is what an encoder is given to follow, and over which it is measured.
    static constexpr Microseconds kWindow = std::chrono::seconds(1);
    /// It disobeys beyond this times the highest bitrate that it was told within the window; its largest
    /// picture is left out, since a key frame may be worth more than a second of the rest.
    static constexpr double kTolerance = 1.5;
    /// Between two rebuilds: the first where building anew helped; the second, doubled each time up to the
    /// third, where it did not, as with noise that no quantiser makes smaller.
    static constexpr Microseconds kPause = std::chrono::seconds(5);
    static constexpr Microseconds kFutilePause = std::chrono::minutes(1);
    static constexpr Microseconds kLongestPause = std::chrono::hours(1);

    /// What it is told from the next picture on, kbit/s.
    void aim(int kbps);
    /// A picture came out. A time that goes back begins anew.
    Verdict coded(std::size_t bytes, Microseconds mediaTime);
    /// It was built anew, with the newest aim.
    void restarted();
    /// Over the last whole window, kbit/s, the largest picture left out; for the log.
    [[nodiscard]] int measuredKbps() const;

  private:
    struct Coded {
        Microseconds time;
        std::size_t bytes;
    };
    struct Aim {
        Microseconds since;
        int kbps;
    };

    [[nodiscard]] int highestAim() const;
    void forgetBefore(Microseconds time);
    Verdict disobeyed();

    std::deque<Coded> window_;
    std::deque<Aim> aims_;  ///< in force within the window, the newest last
    Microseconds now_{0};
    Microseconds from_{0};  ///< when the measuring began
    bool begun_ = false;
    bool toldAgain_ = false;
    bool onTrial_ = false;  ///< built anew, and not measured since
    Microseconds pause_ = kPause;
    Microseconds rebuildFrom_{0};
};

}  // namespace edgecam::capture
