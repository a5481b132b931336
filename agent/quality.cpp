#include "agent/quality.hpp"

#include <algorithm>

namespace edgecam::agent {

QualityPlan planFor(const uplink::SetQuality& wish, const capture::EncoderSettings& configured,
                    const capture::EncoderSettings& inForce) {
    const auto preset = [&](int kbps, Size size, double rate) {
        return QualityPlan{.quality = wish.mode,
                           .settings = {.bitrateKbps = kbps, .size = size, .frameRate = rate}};
    };
    if (wish.mode == "low") return preset(350, {640, 360}, 15);
    if (wish.mode == "medium") return preset(1000, {960, 540}, 0);
    if (wish.mode == "high") return preset(2500, {}, 0);
    const bool automatic = wish.mode == "auto";
    QualityPlan plan{
        .quality = wish.mode, .settings = automatic ? configured : inForce, .encoded = !automatic};
    auto& settings = plan.settings;
    settings.bitrateKbps = wish.bitrateKbps.value_or(settings.bitrateKbps);
    // A range means: the most that the link carries within it.
    plan.leastKbps = wish.minBitrateKbps.value_or(0);
    if (wish.maxBitrateKbps && !wish.bitrateKbps) settings.bitrateKbps = *wish.maxBitrateKbps;
    settings.bitrateKbps = std::max(settings.bitrateKbps, wish.minBitrateKbps.value_or(settings.bitrateKbps));
    settings.bitrateKbps = std::min(settings.bitrateKbps, wish.maxBitrateKbps.value_or(settings.bitrateKbps));
    settings.size.width = wish.width.value_or(settings.size.width);
    settings.size.height = wish.height.value_or(settings.size.height);
    settings.frameRate = wish.frameRate.value_or(settings.frameRate);
    return plan;
}

}  // namespace edgecam::agent
