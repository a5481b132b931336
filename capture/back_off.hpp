// BackOff: how long to wait before the next try. Pure.
#pragma once

#include <algorithm>
#include <chrono>

#include "base/clock.hpp"

namespace edgecam::capture {

/// 0.25, 0.5, 1, 2, 2, … seconds. The cap keeps a camera's return within 3 s of its server's.
class BackOff {
  public:
    Microseconds next() {
        const Microseconds wait = wait_;
        wait_ = std::min<Microseconds>(wait_ * 2, kLongest);
        return wait;
    }
    void reset() { wait_ = kShortest; }

  private:
    static constexpr Microseconds kShortest = std::chrono::milliseconds(250);
    static constexpr Microseconds kLongest = std::chrono::seconds(2);
    Microseconds wait_ = kShortest;
};

}  // namespace edgecam::capture
