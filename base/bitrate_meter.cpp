#include "base/bitrate_meter.hpp"

#include <algorithm>
#include <utility>

namespace edgecam {

void BitrateMeter::roll(Monotonic now) {
    if (!currentEnd_ || now >= *currentEnd_ + std::chrono::seconds(kSeconds)) {
        *this = {};
        currentEnd_ = now + std::chrono::seconds(1);
    }
    while (now >= *currentEnd_) {
        std::shift_right(whole_.begin(), whole_.end(), 1);
        whole_[0] = std::exchange(current_, 0);
        wholeCount_ = std::min(wholeCount_ + 1, kSeconds);
        *currentEnd_ += std::chrono::seconds(1);
    }
}

void BitrateMeter::count(std::size_t bytes, Monotonic now) {
    roll(now);
    current_ += bytes;
}

int BitrateMeter::kbps(Monotonic now) {
    roll(now);
    if (wholeCount_ < 2) return 0;
    std::uint64_t bytes = 0;
    for (std::size_t i = 0; i < wholeCount_; ++i) bytes += whole_[i];
    return static_cast<int>(bytes * 8 / 1000 / wholeCount_);
}

}  // namespace edgecam
