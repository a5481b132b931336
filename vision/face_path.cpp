#include "vision/face_path.hpp"

#include <algorithm>

namespace edgecam::vision {

void FacePath::add(PathPoint point) {
    point.since = std::max(point.since, last_.since);
    last_ = point;
    if (!kept_.empty() && point.since < kept_.back().since + interval_) return;
    if (kept_.size() == kMost) {
        for (std::size_t i = 0; i < kMost / 2; ++i) kept_[i] = kept_[2 * i];
        kept_.resize(kMost / 2);
        // Of points that came unevenly, the longest way between two of them.
        interval_ = std::max(2 * interval_, kept_.back().since / static_cast<std::int64_t>(kMost / 2 - 1));
        if (point.since < kept_.back().since + interval_) return;
    }
    kept_.push_back(point);
}

std::vector<PathPoint> FacePath::points() const {
    std::vector<PathPoint> all = kept_;
    if (!all.empty() && all.back() != last_) all.push_back(last_);
    return all;
}

}  // namespace edgecam::vision
