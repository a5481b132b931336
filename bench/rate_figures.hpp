// What a simulated run was worth.
#pragma once

#include "bench/rate_model.hpp"

namespace edgecam::bench {

/// Delays are of captured pictures, from capture to whole arrival. One that was not shown counts as delayed
/// until the next one that was. Nothing that was captured in an outage of the link counts.
struct Figures {
    double use = 0;  ///< bytes of pictures shown, of those the link could have carried of the camera's most
    double p50 = 0;  ///< ms
    double p95 = 0;
    double worst = 0;
    double shown = 0;      ///< share of pictures
    double freezes = 0;    ///< over 1 s, a minute; those in outages too
    double liveAgain = 0;  ///< s, the worst of the outages: until a picture is shown not older than 500 ms
};

Figures figuresOf(const Trial& trial, const Outcome& outcome, Span span);
/// Of each captured picture in `span`, in ms.
std::vector<double> delaysOf(const Outcome& outcome, Span span, const std::vector<Span>& without = {});
/// From `from` until the delay stays under `limit` for a second.
double secondsUntilUnder(const Outcome& outcome, Microseconds from, double limitMs);
/// From `from` until pictures of `kbps` arrive, over a second.
double secondsUntilRate(const Outcome& outcome, Microseconds from, double kbps);

}  // namespace edgecam::bench
