// FacePath: where a face was, in a few points, however long it stays. Pure.
#pragma once

#include <vector>

#include "base/face.hpp"

namespace edgecam::vision {

/// Points are kept at even intervals of time: all at first, and each time there are too many every second
/// one, and from then on at twice the interval. The first and the last seen are always there.
class FacePath {
  public:
    /// `since` counts from the face's first picture; a clock that is set back counts as no time.
    void add(PathPoint point);
    [[nodiscard]] std::vector<PathPoint> points() const;

  private:
    static constexpr std::size_t kMost = FaceEvent::kMostPathPoints - 1;
    std::vector<PathPoint> kept_;
    PathPoint last_;
    Microseconds interval_{0};
};

}  // namespace edgecam::vision
