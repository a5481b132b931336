#include "agent/config_trial.hpp"

#include <algorithm>
#include <utility>

namespace edgecam::agent {

void ConfigTrial::begin(Monotonic now, Microseconds length, std::map<std::string, bool> liveUplinks) {
    begunAt_ = now;
    until_ = now + length;
    live_ = std::move(liveUplinks);
    provedBy_.clear();
}

void ConfigTrial::confirm(std::string by) {
    if (running() && provedBy_.empty()) provedBy_ = std::move(by);
}

void ConfigTrial::uplinkSeen(const std::string& id, bool live, Monotonic when) {
    if (!running() || when <= begunAt_) return;
    const bool was = std::exchange(live_[id], live);
    if (live && !was) confirm("uplink " + id);
}

ConfigTrial::Verdict ConfigTrial::look(Monotonic now) const {
    if (!until_) return Verdict::none;
    if (now >= *until_) return Verdict::revert;
    return provedBy_.empty() ? Verdict::none : Verdict::keep;
}

Microseconds ConfigTrial::left(Monotonic now) const {
    return until_ ? std::max(Microseconds(0), *until_ - now) : Microseconds(0);
}

}  // namespace edgecam::agent
