// What YuNet's twelve outputs mean. Pure: numbers in, faces out; it knows no network and no OpenCV.
#pragma once

#include <span>
#include <vector>

#include "base/face.hpp"
#include "base/geometry.hpp"
#include "base/result.hpp"

namespace edgecam::vision {

/// The outputs of one scale. Its grid has a cell every `stride` pixels of the network's input, numbered row
/// by row; each span holds so many values for each cell, cell after cell.
struct YunetScale {
    int stride = 0;                     ///< 8, 16 or 32
    std::span<const float> faceness;    ///< `cls`, 1 a cell, 0..1: that it is a face
    std::span<const float> objectness;  ///< `obj`, 1 a cell, 0..1: that the box is a good one
    std::span<const float> box;         ///< `bbox`, 4 a cell: centre and log size, in strides
    std::span<const float> landmarks;   ///< `kps`, 10 a cell: five points, in strides
};

/// How the picture lay in the network's input, pixels: its part at the top left, and the whole with the
/// padding.
struct YunetInput {
    Size picture;
    Size padded;
};

/// The candidates with at least `minScore`, as fractions of the picture: not clipped, overlapping ones all
/// there. Candidates that are not finite are left out; a grid of the wrong size is an error. Formulas: YuNet
/// 2023mar's training code (ShiqiYu/libfacedetection.train), anchor-free head.
Result<std::vector<Face>> decodeYunet(std::span<const YunetScale> scales, const YunetInput& input,
                                      float minScore);

}  // namespace edgecam::vision
