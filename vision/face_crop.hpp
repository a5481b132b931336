// FaceCrop: a face cut out of its picture, with something around it, as pixels of its own: the picture goes
// back to its pool. It knows no track.
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "base/geometry.hpp"
#include "base/picture.hpp"
#include "base/result.hpp"

namespace edgecam::vision {

/// I420, tight rows, even sides, in the full range of values that JPEG has (ITU-T T.871).
struct FaceCrop {
    /// Not longer than this: a face of 150 pixels is one that people can tell.
    static constexpr int kLongestSide = 256;
    static constexpr int kLeastSide = 16;

    Size size;
    std::array<std::vector<std::uint8_t>, 3> planes;  ///< Y, U, V
};

/// Where cropOf() cuts: the box, half as large again around its middle, since a face without hair and chin is
/// hard to tell; what lies in the picture of it, on even pixels, at least 2 each way.
struct CropPlace {
    int x = 0;
    int y = 0;
    Size size;
};
CropPlace cropPlace(const RectNorm& box, Size picture);

/// Copies some 100 KB at most; scales down what is larger. The picture is taken to be in video's
/// range, 16..235 (ITU-R BT.601), as all cameras' codings but MJPG are; one of MJPG gains contrast. An error:
/// the picture has no pixels.
Result<FaceCrop> cropOf(const Picture& picture, const RectNorm& box);

/// The same, smaller: sides times `scale` (0..1), rounded to even numbers, not below kLeastSide.
Result<FaceCrop> scaledDown(const FaceCrop& crop, double scale);

}  // namespace edgecam::vision
