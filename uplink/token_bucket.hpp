// TokenBucket: how much of something may happen: a rate with room for bursts. Pure.
#pragma once

#include <algorithm>

#include "base/clock.hpp"

namespace edgecam::uplink {

/// Starts full.
class TokenBucket {
  public:
    /// `rate` per second, `burst` at once.
    TokenBucket(double rate, double burst, Monotonic now)
        : rate_(rate), burst_(burst), level_(burst), last_(now) {}

    /// False: more than is allowed; the bucket then stays empty.
    bool take(double amount, Monotonic now) {
        level_ = levelAt(now) - amount;
        last_ = now;
        if (level_ >= 0) return true;
        level_ = 0;
        return false;
    }

    /// False: there is not so much, and nothing is taken.
    bool takeIfThere(double amount, Monotonic now) {
        (void)take(0, now);
        if (level_ < amount) return false;
        level_ -= amount;
        return true;
    }

    /// How long until there is so much; 0: there is.
    [[nodiscard]] Microseconds timeTo(double amount, Monotonic now) const {
        const double missing = amount - levelAt(now);
        return missing <= 0 ? Microseconds(0)
                            : Microseconds(1 + static_cast<std::int64_t>(missing / rate_ * 1e6));
    }

  private:
    [[nodiscard]] double levelAt(Monotonic now) const {
        const double passed = secondsOf(now - last_);
        return std::min(burst_, level_ + std::max(0.0, passed) * rate_);
    }

    double rate_;
    double burst_;
    double level_;
    Monotonic last_;
};

}  // namespace edgecam::uplink
