// BitrateMeter: how many bits a second a stream takes. Pure; times are handed in.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>

#include "base/clock.hpp"

namespace edgecam {

/// Not thread-safe. Over the last whole seconds, at most four: long enough to hold a key frame and its
/// deltas.
class BitrateMeter {
  public:
    void count(std::size_t bytes, Monotonic now);
    /// kbit/s; 0 until two whole seconds were seen.
    [[nodiscard]] int kbps(Monotonic now);

  private:
    void roll(Monotonic now);

    static constexpr std::size_t kSeconds = 4;
    std::array<std::uint64_t, kSeconds> whole_{};
    std::size_t wholeCount_ = 0;
    std::uint64_t current_ = 0;
    std::optional<Monotonic> currentEnd_;
};

}  // namespace edgecam
