// PictureGate: lets through at most so many pictures a second, evenly, by their own time. Pure.
#pragma once

#include <cmath>
#include <optional>

#include "base/clock.hpp"

namespace edgecam::capture {

/// Not thread-safe.
class PictureGate {
  public:
    /// 0 or less: everything passes.
    void limit(double perSecond) {
        interval_ = perSecond > 0 ? Microseconds(std::llround(1e6 / perSecond)) : Microseconds(0);
        due_.reset();
        alone_.reset();
    }

    /// A picture passes when it is nearer to the moment one is due than the next picture will be; the slack
    /// of a quarter interval keeps jitter from turning 30 → 10 into 30 → 7.5.
    [[nodiscard]] bool pass(Microseconds time) {
        if (interval_ <= Microseconds(0)) return true;
        if (due_ && time < *due_ - interval_ / 4 && time > *due_ - 2 * interval_) return false;
        const bool onTime = due_ && time >= *due_ - interval_ / 4 && time - *due_ < interval_;
        due_ = (onTime ? *due_ : time) + interval_;
        return true;
    }

    /// For key frames that come without the pictures between: each passes, unless they come more often than
    /// is asked. One that is left out, since a picture passed right before it, is not made up for by the next
    /// one for a second or two.
    [[nodiscard]] bool passAlone(Microseconds time) {
        const bool rare = !alone_ || time - *alone_ >= interval_;
        alone_ = time;
        if (pass(time)) return true;
        if (rare) due_ = time + interval_;
        return rare;
    }

  private:
    Microseconds interval_{0};
    std::optional<Microseconds> due_;
    std::optional<Microseconds> alone_;  ///< the last one that came so
};

}  // namespace edgecam::capture
