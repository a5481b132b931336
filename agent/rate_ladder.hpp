// RateLadder: how a picture is made smaller for a thin link. First the bitrate falls alone; where that would
// leave too few bits for each pixel, first pictures are left out, then their size falls, down to a key frame
// now and then. Pure; knows no link and no encoder.
#pragma once

#include <cstddef>
#include <optional>

#include "base/clock.hpp"
#include "base/geometry.hpp"
#include "capture/encoder_settings.hpp"

namespace edgecam::agent {

/// What is to be carried: the best that may be, and the source it is made of.
struct LadderTop {
    capture::EncoderSettings settings;  ///< wished or configured
    int leastKbps = 0;                  ///< wished; the link is not obeyed below
    Size source;                        ///< empty: not known yet
    double sourceRate = 0;              ///< pictures a second; 0: not known yet
};

/// Not thread-safe.
class RateLadder {
  public:
    /// Bits for each pixel, at least: a picture of x264's fastest preset that has less is blocks. A rule of
    /// thumb (about half of what services for live video advise), not measured.
    static constexpr double kLeastBits = 0.04;
    /// Down when a rung was too high for so long, up when a higher one would have done for so long, with a
    /// tenth to spare: every change of size is a new channel.
    static constexpr Microseconds kDownAfter = std::chrono::seconds(1);
    static constexpr Microseconds kUpAfter = std::chrono::seconds(10);

    /// What the encode should aim at while the link carries `kbps` of it. Exactly `top.settings`, so that one
    /// encode may serve others too, as long as the link was able to carry that for kUpAfter. Call it about
    /// ten times a second. Bitrates are steps of about 3 %, so that not every call is a change.
    capture::EncoderSettings fit(const LadderTop& top, int kbps, Monotonic now);

  private:
    std::size_t rung_ = 0;
    bool whole_ = true;  ///< nothing is held back
    std::optional<Monotonic> lowerSince_;
    std::optional<Monotonic> higherSince_;
};

}  // namespace edgecam::agent
