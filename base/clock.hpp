// Clocks. Wall clock and monotonic clock are different types, so they cannot be mixed up; code that waits or
// measures takes a Clock, so that a test can turn the hands.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>

namespace edgecam {

using Microseconds = std::chrono::microseconds;
/// Never jumps, means nothing outside this machine's present run.
using Monotonic = std::chrono::time_point<std::chrono::steady_clock, Microseconds>;
/// UTC since the Unix epoch; may jump when the box learns the time.
using Utc = std::chrono::time_point<std::chrono::system_clock, Microseconds>;

/// The seam for time. Thread-safe.
class Clock {
  public:
    virtual ~Clock() = default;
    [[nodiscard]] virtual Monotonic monotonic() const = 0;
    [[nodiscard]] virtual Utc utc() const = 0;
    /// Whether utc() is what the world calls the time: a box without a battery boots in 1970.
    [[nodiscard]] virtual bool synced() const { return true; }
};

class SystemClock final : public Clock {
  public:
    [[nodiscard]] Monotonic monotonic() const override {
        return std::chrono::time_point_cast<Microseconds>(std::chrono::steady_clock::now());
    }
    [[nodiscard]] Utc utc() const override {
        return std::chrono::time_point_cast<Microseconds>(std::chrono::system_clock::now());
    }
    /// Never before 2025; then what the kernel says. Where it may not be asked (ProtectClock=), what
    /// systemd-timesyncd says; where that does not run either, any such time is believed.
    [[nodiscard]] bool synced() const override;
};

/// Whether systemd-timesyncd has found the time, by the file that it touches then
/// (systemd-timesyncd.service(8)); nothing while it does not run. `folder`: its own below /run.
std::optional<bool> timesyncdHasSynced(const std::string& folder = "/run/systemd/timesync");

constexpr double secondsOf(Microseconds span) {
    return static_cast<double>(span.count()) / 1e6;
}

/// Seconds since the epoch with a fraction: the wire's `timestamp`.
inline double secondsOf(Utc time) {
    return secondsOf(time.time_since_epoch());
}

/// Microseconds since the epoch: the wire's `capture_us`. Times before 1970 count as 0.
inline std::uint64_t microsecondsOf(Utc time) {
    const auto count = time.time_since_epoch().count();
    return count > 0 ? static_cast<std::uint64_t>(count) : 0;
}

}  // namespace edgecam
