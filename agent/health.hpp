// Health: whether the agent as a whole does its work, for /healthz and the watchdog. A camera that is down is
// the supervisor's business, not a sick agent.
#pragma once

#include <atomic>
#include <string>

#include "base/clock.hpp"

namespace edgecam::agent {

/// Thread-safe.
class Health {
  public:
    explicit Health(const Clock& clock) : clock_(clock), startedAt_(clock.monotonic()) { mainLoopTurned(); }

    /// The main loop calls this at least once a second.
    void mainLoopTurned() { lastTurn_ = clock_.monotonic().time_since_epoch().count(); }

    /// Healthy while the main loop turned within the last 5 s.
    [[nodiscard]] bool ok() const;
    /// For /healthz: {"ok", "version", "uptime_s"}. Says nothing of cameras: anybody may read it.
    [[nodiscard]] std::string json() const;

  private:
    const Clock& clock_;
    const Monotonic startedAt_;
    std::atomic<std::int64_t> lastTurn_{0};
};

}  // namespace edgecam::agent
