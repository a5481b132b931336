// MotionGate: whether a picture is worth looking through where nobody is followed: only if something may have
// changed since the last one that was. Pure; it reads luma and knows no face.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>

#include "base/clock.hpp"
#include "base/picture.hpp"

namespace edgecam::vision {

/// The picture is seen as 32x18 cells, each the mean of at most 64 of its pixels. One whose mean differs by
/// more than 5 of 255 from what it was, after what all have in common (a lamp, an exposure) is taken off, is
/// a change: six times what the noise of a bad sensor (5 of 255 a pixel) does to such a mean, and far less
/// than a face of 24 pixels does in a picture of 640. Costs some 40 microseconds at any size. Not
/// thread-safe.
class MotionGate {
  public:
    /// Whether to look: something changed, or did in the picture before this one or within the last second,
    /// or nothing was looked through for 5 seconds, and then for twice as long each time, up to 30, while
    /// nothing changes: a slow change adds up until it is one, so what can be missed is faint. Or it cannot
    /// be told. Time is that of capture; a clock set back counts as a change.
    bool opens(const Picture& picture);
    /// This picture was looked through: what comes is held against it.
    void looked(const Picture& picture);

  private:
    static constexpr std::size_t kColumns = 32;
    static constexpr std::size_t kRows = 18;
    using Cells = std::array<float, kColumns * kRows>;

    static std::optional<Cells> cellsOf(const Picture& picture);
    static bool differ(const Cells& a, const Cells& b);

    std::optional<Cells> reference_;
    Utc lookedAt_;
    Utc changedAt_;
    Microseconds rest_{};         ///< without a look, at most
    bool changedBefore_ = false;  ///< in the picture before
};

}  // namespace edgecam::vision
