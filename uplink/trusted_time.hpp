// TrustedTime: what time it is, for deciding that something is too old to keep. A box may boot in 1970, learn
// the time later, and be told a wrong one; what was discarded then does not come back. So only clocks that
// were said to be synced count, their readings are carried on by the monotonic clock, and where two of them
// disagree the earlier one holds: it can only be wrong to the side of keeping. Pure.
#pragma once

#include <algorithm>
#include <optional>

#include "base/clock.hpp"

namespace edgecam::uplink {

class TrustedTime {
  public:
    /// No box runs this program at an earlier time, whatever its clock says.
    static constexpr Utc kEarliest{std::chrono::seconds(1'672'531'200)};  // 2023-01-01
    static bool plausible(Utc time) { return time >= kEarliest; }

    /// The wall clock was said to be synced, and showed `wall` at `at`.
    void synced(Utc wall, Monotonic at) {
        if (!plausible(wall)) return;
        const auto carried = now(at);
        reading_ = Reading{carried ? std::min(*carried, wall) : wall, at};
    }

    /// Nothing until a clock was synced since the start.
    [[nodiscard]] std::optional<Utc> now(Monotonic at) const {
        if (!reading_) return std::nullopt;
        return reading_->wall + (at - reading_->at);
    }

  private:
    struct Reading {
        Utc wall;
        Monotonic at;
    };
    std::optional<Reading> reading_;
};

}  // namespace edgecam::uplink
