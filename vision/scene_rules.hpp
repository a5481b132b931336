// SceneRules: what a camera was told of its view: which parts have names, which are not looked at, and how
// large a face is. Pure.
#pragma once

#include <string>
#include <vector>

#include "base/face.hpp"
#include "base/zone.hpp"

namespace edgecam::vision {

struct SceneRules {
    std::vector<Zone> zones;
    std::vector<Polygon> ignored;  ///< a face whose centre lies in one is none
    int minFacePx = 0;             ///< by width, of the picture at capture; smaller ones are none
    bool operator==(const SceneRules&) const = default;

    /// Those that count, in their order.
    [[nodiscard]] std::vector<Face> counted(std::vector<Face> faces, Size captured) const;
    /// The names of the zones that a face's centre lies in, in the order of `zones`.
    [[nodiscard]] std::vector<std::string> zonesOf(const RectNorm& box) const;
};

}  // namespace edgecam::vision
