#include "base/clock.hpp"

#include <sys/timex.h>

namespace edgecam {
namespace {

/// When this was written: a clock that shows less is wrong, whatever the kernel says of it.
constexpr std::chrono::sys_days kBuiltAfter = std::chrono::year(2025) / 1 / 1;

}  // namespace

bool SystemClock::synced() const {
    if (utc() < kBuiltAfter) return false;
    // Whoever disciplines the clock (timesyncd, chrony) clears the flag: adjtimex(2). Where the call is not
    // allowed, as in some containers, the host keeps the clock.
    timex state{};
    return adjtimex(&state) < 0 || (state.status & STA_UNSYNC) == 0;
}

}  // namespace edgecam
