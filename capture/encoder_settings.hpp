// What an encode aims at. Plain values, shared by the encoder, the camera and whoever commands them.
#pragma once

#include "base/geometry.hpp"

namespace edgecam::capture {

struct EncoderSettings {
    int bitrateKbps = 2000;  ///< 50 to 50000
    Size size;               ///< empty: the source's. Even numbers; never scaled up; aspect ratio kept
    double frameRate = 0;    ///< pictures a second, at most; 0: the source's
    bool operator==(const EncoderSettings&) const = default;
};

}  // namespace edgecam::capture
