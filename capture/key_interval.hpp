// KeyInterval: how far apart a camera sets its own key frames. Who joins waits for one, and so does who lost
// a picture. Pure.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <optional>

#include "base/clock.hpp"

namespace edgecam::capture {

/// Not thread-safe.
class KeyInterval {
  public:
    /// Beyond it a camera is set up badly for being watched.
    static constexpr Microseconds kLong = std::chrono::seconds(4);

    /// Each picture's media time.
    void note(Microseconds mediaTime, bool keyFrame) {
        if (latest_ && mediaTime < *latest_ - kLong) *this = {};
        latest_ = mediaTime;
        if (!keyFrame) return;
        if (key_) intervals_[count_++ % intervals_.size()] = mediaTime - *key_;
        key_ = mediaTime;
    }
    /// The source broke off: what lies between is no interval of its coding.
    void breakOff() { key_.reset(); }

    /// The longest of the last few, the present one included while it is longer than kLong; nothing: none is
    /// that long. Cameras that stretch it when nothing moves change it all the time: the longest is what
    /// counts.
    [[nodiscard]] std::optional<Microseconds> tooLong() const {
        Microseconds longest = *std::ranges::max_element(intervals_);
        if (key_ && latest_) longest = std::max(longest, *latest_ - *key_);
        return longest > kLong ? std::optional(longest) : std::nullopt;
    }

  private:
    std::array<Microseconds, 4> intervals_{};
    std::size_t count_ = 0;
    std::optional<Microseconds> key_;
    std::optional<Microseconds> latest_;
};

}  // namespace edgecam::capture
