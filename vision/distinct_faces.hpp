// One answer for each face: what both detectors do with their candidates at the end.
#pragma once

#include <vector>

#include "base/face.hpp"

namespace edgecam::vision {

/// The best candidate of each face, best first, clipped to the picture; candidates beside the picture are
/// left out. May throw what OpenCV throws.
std::vector<Face> distinctFaces(const std::vector<Face>& candidates);

}  // namespace edgecam::vision
