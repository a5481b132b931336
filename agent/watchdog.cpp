#include "agent/watchdog.hpp"

#include <algorithm>

#include "agent/service_notify.hpp"
#include "base/log.hpp"
#include "capture/live_pipeline.hpp"

namespace edgecam::agent {

std::vector<std::string> Standstills::look(const std::vector<Heartbeat::Sign>& signs, Monotonic now) {
    // What passed between two looks counts for little more than a look: see above.
    const Microseconds passed =
        lookedAt_ ? std::min<Microseconds>(now - *lookedAt_, kStandstill / 2) : Microseconds(0);
    lookedAt_ = now;
    std::map<std::uint64_t, Seen> seen;
    std::vector<std::string> names;
    for (const Heartbeat::Sign& sign : signs) {
        const auto before = seen_.find(sign.id);
        Seen& loop = seen[sign.id];
        loop.turns = sign.turns;
        const bool stands = before != seen_.end() && before->second.turns == sign.turns && !sign.resting;
        if (stands) loop.still = before->second.still + passed;
        if (loop.still >= kStandstill) names.push_back(sign.name);
    }
    seen_ = std::move(seen);
    return names;
}

std::string troubleOf(const std::vector<std::string>& standstills, std::optional<Microseconds> oldestEnd) {
    std::string trouble;
    for (const std::string& name : standstills) trouble += (trouble.empty() ? "" : ", ") + name;
    if (!trouble.empty()) trouble = "these threads stand still: " + trouble;
    if (oldestEnd && *oldestEnd >= kStandstill) {
        const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(*oldestEnd).count();
        trouble += concat(trouble.empty() ? "" : "; ", "a pipeline cannot be ended since ", seconds, " s");
    }
    return trouble;
}

Watchdog::Watchdog(Microseconds interval, const Clock& clock)
    : clock_(clock), timer_(interval / 3, [this] { look(); }) {
    look();
}

void Watchdog::look() {
    const std::string trouble = troubleOf(standstills_.look(Heartbeat::all(), clock_.monotonic()),
                                          capture::LivePipeline::oldestEnd());
    if (trouble.empty()) {
        if (!trouble_.empty()) logInfo("agent", "all threads turn again");
        notifyAlive();
    } else if (trouble_.empty()) {
        logError("agent", trouble, ": systemd's watchdog is not fed");
    }
    trouble_ = trouble;
}

}  // namespace edgecam::agent
