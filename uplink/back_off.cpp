#include "uplink/back_off.hpp"

#include <algorithm>
#include <memory>
#include <random>
#include <utility>

namespace edgecam::uplink {

BackOff::BackOff(Settings settings, Chance chance)
    : settings_(settings), chance_(std::move(chance)), limit_(std::min(settings.first, settings.most)) {}

Microseconds BackOff::within(Microseconds limit) {
    const double part = std::clamp(chance_(), 0.0, 1.0);
    return Microseconds(static_cast<std::int64_t>(static_cast<double>(limit.count()) * part));
}

Microseconds BackOff::afterFailure() {
    const Microseconds limit = std::exchange(limit_, std::min(limit_ * 2, settings_.most));
    return within(limit);
}

Microseconds BackOff::afterLoss(Microseconds lived) {
    if (lived < settings_.healthyAfter) return afterFailure();
    limit_ = std::min(settings_.first, settings_.most);
    return within(std::min(settings_.afterHealthy, settings_.most));
}

BackOff::Chance BackOff::systemChance() {
    auto engine = std::make_shared<std::mt19937_64>(std::random_device{}());
    return [engine] { return std::uniform_real_distribution<double>(0.0, 1.0)(*engine); };
}

}  // namespace edgecam::uplink
