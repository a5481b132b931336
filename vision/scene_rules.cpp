#include "vision/scene_rules.hpp"

#include <algorithm>

namespace edgecam::vision {

namespace {
PointNorm centreOf(const RectNorm& box) {
    return {box.x + box.width / 2, box.y + box.height / 2};
}
}  // namespace

std::vector<Face> SceneRules::counted(std::vector<Face> faces, Size captured) const {
    std::erase_if(faces, [&](const Face& face) {
        if (face.box.width * static_cast<float>(captured.width) < static_cast<float>(minFacePx)) return true;
        return std::ranges::any_of(
            ignored, [&](const Polygon& polygon) { return contains(polygon, centreOf(face.box)); });
    });
    return faces;
}

std::vector<std::string> SceneRules::zonesOf(const RectNorm& box) const {
    std::vector<std::string> names;
    for (const Zone& zone : zones) {
        if (contains(zone.polygon, centreOf(box))) names.push_back(zone.name);
    }
    return names;
}

}  // namespace edgecam::vision
