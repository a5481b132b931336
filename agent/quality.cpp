#include "agent/quality.hpp"

#include <algorithm>

namespace edgecam::agent {

QualityPlan planFor(const uplink::SetQuality& wish, const capture::EncoderSettings& configured,
                    const capture::EncoderSettings& inForce) {
    if (wish.mode == "low") return {.settings = {.bitrateKbps = 350, .size = {640, 360}, .frameRate = 15}};
    if (wish.mode == "medium") return {.settings = {.bitrateKbps = 1000, .size = {960, 540}, .frameRate = 0}};
    if (wish.mode == "high") return {.settings = {.bitrateKbps = 2500, .size = {}, .frameRate = 0}};
    const bool automatic = wish.mode == "auto";
    QualityPlan plan{.settings = automatic ? configured : inForce, .encoded = !automatic};
    auto& settings = plan.settings;
    settings.bitrateKbps = wish.bitrateKbps.value_or(settings.bitrateKbps);
    // Until the rate follows the link by itself, a range means: as near to what is in force as it allows.
    settings.bitrateKbps = std::max(settings.bitrateKbps, wish.minBitrateKbps.value_or(settings.bitrateKbps));
    settings.bitrateKbps = std::min(settings.bitrateKbps, wish.maxBitrateKbps.value_or(settings.bitrateKbps));
    settings.size.width = wish.width.value_or(settings.size.width);
    settings.size.height = wish.height.value_or(settings.size.height);
    settings.frameRate = wish.frameRate.value_or(settings.frameRate);
    return plan;
}

}  // namespace edgecam::agent
