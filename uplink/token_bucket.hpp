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
        const double passed = std::chrono::duration<double>(now - last_).count();
        last_ = now;
        level_ = std::min(burst_, level_ + std::max(0.0, passed) * rate_) - amount;
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

  private:
    double rate_;
    double burst_;
    double level_;
    Monotonic last_;
};

}  // namespace edgecam::uplink
