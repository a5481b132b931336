// The trials that the figures are of, for the benchmark and for its short form among the tests.
#pragma once

#include <string>
#include <vector>

#include "bench/rate_figures.hpp"

namespace edgecam::bench {

struct Contender {
    std::string name;
    RuleMaker make;
};

/// Ours, and AIMD, with and without holding pictures back; the others of rate_rivals.
std::vector<Contender> contenders();
RuleMaker ourController(bool holdsPicturesBack = true, const uplink::RateTuning& tuning = {});
/// `"video_wait_ms": 140`: more of a link that swings, at the price of age.
uplink::RateTuning patient();

/// Of an even link of 1 or 5 Mbit/s which becomes the other after half a minute, and a camera of 6 Mbit/s.
struct StepFigures {
    double secondsToCalm = 0;    ///< 5 to 1: until the delay stays under 200 ms for a second
    double worstDelay = 0;       ///< 5 to 1, ms
    double secondsToEighty = 0;  ///< 1 to 5: until 80 % of the link arrive over a second
    double steadyUse = 1;        ///< the least of both rates before and after, 12 to 14 s each
    double steadyP95 = 0;        ///< the highest of them, ms, without encoding and half a round trip
    int undecodable = 0;
};

/// The seed also moves the step against the key frames, by 137 ms a number.
StepFigures stepFigures(const RuleMaker& make, Microseconds rtt, unsigned seed);

struct TraceFigures {
    Figures figures;
    int undecodable = 0;
};

TraceFigures traceFigures(const RuleMaker& make, const LinkProfile& link, Microseconds rtt, unsigned seed);

}  // namespace edgecam::bench
