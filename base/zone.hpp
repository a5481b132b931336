// Zone: a part of a camera's view that has a name. Pure.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "base/geometry.hpp"

namespace edgecam {

/// Corners in order, at least three; the last is joined to the first. Fractions of the picture.
using Polygon = std::vector<PointNorm>;

/// By the even-odd rule: what a polygon that crosses itself covers twice is outside. Of two that share an
/// edge, a point on it is in one.
inline bool contains(const Polygon& polygon, PointNorm point) {
    bool inside = false;
    for (std::size_t i = 0, before = polygon.size() - 1; i < polygon.size(); before = i++) {
        const PointNorm& a = polygon[i];
        const PointNorm& b = polygon[before];
        if ((a.y > point.y) == (b.y > point.y)) continue;
        // Where the edge crosses the point's height.
        if (point.x < (b.x - a.x) * (point.y - a.y) / (b.y - a.y) + a.x) inside = !inside;
    }
    return inside;
}

struct Zone {
    std::string name;
    Polygon polygon;
    bool operator==(const Zone&) const = default;
};

}  // namespace edgecam
