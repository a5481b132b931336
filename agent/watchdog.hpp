// Watchdog: whether the loops that matter still turn, so that systemd is told that the agent lives only while
// it does. Pure but for Watchdog, which asks them and tells. A camera that is down, a hub that is away or a
// viewers' process that crashes are others' business and never a reason.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "agent/main_loop.hpp"
#include "base/clock.hpp"
#include "base/heartbeat.hpp"

namespace edgecam::agent {

/// For how long a loop may stand still, and a pipeline be ending. Analyses on slow boxes and commits to slow
/// cards take seconds; a driver that is this slow to let go of a device never does.
inline constexpr Microseconds kStandstill = std::chrono::seconds(20);

/// Finds the loops that stand still. Not thread-safe.
class Standstills {
  public:
    /// The names of the loops that have not turned for kStandstill of the time in which somebody looked. Who
    /// has not looked for long (the process was stopped, the machine suspended) learns nothing of that time.
    /// `now` never goes back.
    std::vector<std::string> look(const std::vector<Heartbeat::Sign>& signs, Monotonic now);

  private:
    struct Seen {
        std::uint64_t turns = 0;
        Microseconds still{0};
    };
    std::map<std::uint64_t, Seen> seen_;  ///< by Heartbeat::Sign::id
    std::optional<Monotonic> lookedAt_;
};

/// What is wrong with the agent as a whole, a sentence; empty: nothing. `oldestEnd`: how long the pipeline
/// that has been ending longest has been; nothing: none is.
std::string troubleOf(const std::vector<std::string>& standstills, std::optional<Microseconds> oldestEnd);

/// Feeds systemd's watchdog three times in its interval, from the main loop, while there is no trouble. Main
/// thread.
class Watchdog {
  public:
    /// `interval`: systemd's. `clock` must outlive it.
    Watchdog(Microseconds interval, const Clock& clock);

  private:
    void look();

    const Clock& clock_;
    Standstills standstills_;
    std::string trouble_;
    MainLoop::Timer timer_;
};

}  // namespace edgecam::agent
