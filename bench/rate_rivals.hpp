// What our rate controller is compared with.
#pragma once

#include <memory>

#include "bench/rate_model.hpp"

namespace edgecam::bench {

/// 10 kbit/s more each 100 ms; half, once a second at most, when the queue is older than 150 ms.
std::unique_ptr<RateRule> plainAimd(const Trial& trial);
/// Knows what the link will carry in the next second, and what waits.
std::unique_ptr<RateRule> oracle(const Trial& trial);
/// OBS Studio's dynamic bitrate (plugins/obs-outputs/rtmp-stream.c): what was sent in the last second when
/// 200 ms wait; a tenth of the most upwards after 4 s (30 s after a relapse).
std::unique_ptr<RateRule> obsRule(const Trial& trial);

}  // namespace edgecam::bench
