// A clock whose hands a test turns.
#pragma once

#include <atomic>

#include "base/clock.hpp"

namespace edgecam::test {

/// Thread-safe.
class FakeClock final : public Clock {
  public:
    [[nodiscard]] Monotonic monotonic() const override {
        return Monotonic(Microseconds(monotonicUs_.load()));
    }
    [[nodiscard]] Utc utc() const override { return Utc(Microseconds(utcUs_.load())); }

    /// Both hands, as real time does.
    void advance(Microseconds step) {
        monotonicUs_ += step.count();
        utcUs_ += step.count();
    }
    /// Only the wall clock, as time synchronisation does.
    void jumpWallClock(Microseconds step) { utcUs_ += step.count(); }

  private:
    std::atomic<std::int64_t> monotonicUs_{1'000'000'000};
    std::atomic<std::int64_t> utcUs_{1'700'000'000'000'000};
};

}  // namespace edgecam::test
