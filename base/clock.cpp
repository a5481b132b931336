#include "base/clock.hpp"

#include <sys/stat.h>
#include <sys/timex.h>

namespace edgecam {
namespace {

/// When this was written: a clock that shows less is wrong, whatever the kernel says of it.
constexpr std::chrono::sys_days kBuiltAfter = std::chrono::year(2025) / 1 / 1;

bool exists(const std::string& path) {
    struct stat ignored {};
    return stat(path.c_str(), &ignored) == 0;
}

}  // namespace

std::optional<bool> timesyncdHasSynced(const std::string& folder) {
    if (exists(folder + "/synchronized")) return true;
    if (exists(folder)) return false;
    return std::nullopt;
}

bool SystemClock::synced() const {
    if (utc() < kBuiltAfter) return false;
    // Whoever disciplines the clock (timesyncd, chrony) clears the flag: adjtimex(2).
    timex state{};
    if (adjtimex(&state) >= 0) return (state.status & STA_UNSYNC) == 0;
    // The call is not allowed: under ProtectClock=, and in some containers, where the host keeps the clock.
    return timesyncdHasSynced().value_or(true);
}

}  // namespace edgecam
