#include "uplink/endpoints.hpp"

#include <algorithm>
#include <tuple>
#include <utility>

namespace edgecam::uplink {

Endpoints::Endpoints(std::vector<HubUrl> urls, BackOff::Chance chance) : chance_(std::move(chance)) {
    for (HubUrl& url : urls) hubs_.push_back({std::move(url), 0, std::nullopt});
}

std::size_t Endpoints::choose(Monotonic now) {
    const std::lock_guard lock(mutex_);
    // The smaller, the better. A hub that failed counts by when, one that did not by how much it is used.
    const auto rank = [&](const Hub& hub) {
        return hub.fresh(now) ? std::tuple(0, Monotonic(), hub.uses) : std::tuple(1, *hub.failedAt, 0);
    };
    const auto best = rank(*std::ranges::min_element(hubs_, {}, rank));
    std::vector<std::size_t> equals;
    for (std::size_t i = 0; i < hubs_.size(); ++i) {
        if (rank(hubs_[i]) == best) equals.push_back(i);
    }
    const auto drawn = static_cast<std::size_t>(chance_() * static_cast<double>(equals.size()));
    const std::size_t chosen = equals[std::min(drawn, equals.size() - 1)];
    ++hubs_[chosen].uses;
    return chosen;
}

void Endpoints::works(std::size_t endpoint) {
    const std::lock_guard lock(mutex_);
    hubs_[endpoint].failedAt.reset();
}

void Endpoints::failed(std::size_t endpoint, Monotonic now) {
    const std::lock_guard lock(mutex_);
    --hubs_[endpoint].uses;
    hubs_[endpoint].failedAt = now;
}

bool Endpoints::anyFresh(Monotonic now) const {
    const std::lock_guard lock(mutex_);
    return std::ranges::any_of(hubs_, [&](const Hub& hub) { return hub.fresh(now); });
}

}  // namespace edgecam::uplink
