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
    /// Up to it, two seconds and what a clock is off, key frames alone show whether anybody is there.
    static constexpr Microseconds kOften = std::chrono::milliseconds(2200);

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
        const Microseconds most = longest();
        return most > kLong ? std::optional(most) : std::nullopt;
    }

    /// Known to be at most kOften apart, by two intervals at least, the present one included.
    [[nodiscard]] bool often() const { return count_ >= 2 && longest() <= kOften; }

  private:
    [[nodiscard]] Microseconds longest() const {
        const Microseconds longest = *std::ranges::max_element(intervals_);
        return key_ && latest_ ? std::max(longest, *latest_ - *key_) : longest;
    }

    std::array<Microseconds, 4> intervals_{};
    std::size_t count_ = 0;
    std::optional<Microseconds> key_;
    std::optional<Microseconds> latest_;
};

}  // namespace edgecam::capture
