// BackOff: how long to wait before dialling again. Full jitter (a random part of a doubling limit), so that a
// fleet whose hub went away does not come back as one. Pure; chance is handed in.
#pragma once

#include <functional>

#include "base/clock.hpp"

namespace edgecam::uplink {

class BackOff {
  public:
    struct Settings {
        Microseconds first = std::chrono::milliseconds(500);  ///< the first limit; doubles from here
        Microseconds most = std::chrono::seconds(60);
        Microseconds healthyAfter = std::chrono::seconds(30);
        Microseconds afterHealthy = std::chrono::seconds(3);  ///< limit for the first try after a healthy one
    };
    /// Gives numbers from 0 up to, not including, 1.
    using Chance = std::function<double()>;

    BackOff(Settings settings, Chance chance);

    /// No connection, or one the hub did not keep; each call doubles the limit of the next.
    Microseconds afterFailure();
    /// A connection that was live for `lived` broke. One that was healthy makes everything good.
    Microseconds afterLoss(Microseconds lived);
    /// The hub does not want us as we are: the most, unspread, since every box was refused in its own time.
    [[nodiscard]] Microseconds afterRejection() const { return settings_.most; }

    /// A wait that a hub asked for, spread over as long again.
    static Microseconds spread(Microseconds wait, double chance) {
        return wait + Microseconds(static_cast<std::int64_t>(static_cast<double>(wait.count()) * chance));
    }

    /// Chance from the operating system's random numbers.
    static Chance systemChance();

  private:
    Microseconds within(Microseconds limit);

    Settings settings_;
    Chance chance_;
    Microseconds limit_;
};

}  // namespace edgecam::uplink
