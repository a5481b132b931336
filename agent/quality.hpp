// Quality: what a wish in words or numbers means for an encode. Pure.
#pragma once

#include <string>

#include "capture/encoder_settings.hpp"
#include "uplink/command.hpp"

namespace edgecam::agent {

struct QualityPlan {
    std::string quality = "auto";  ///< the wish's word
    capture::EncoderSettings settings;
    bool encoded = true;  ///< false: the camera's own coding will do
    int leastKbps = 0;    ///< not less, whatever the link carries
};

/// "low" 350 kbit/s within 640x360 at 15/s, "medium" 1000 kbit/s within 960x540, "high" 2500 kbit/s at the
/// source's size, "auto" the configured settings, by passthrough where the camera codes itself. "custom"
/// starts from what the peer has now and changes what the wish names.
QualityPlan planFor(const uplink::SetQuality& wish, const capture::EncoderSettings& configured,
                    const capture::EncoderSettings& inForce);

}  // namespace edgecam::agent
