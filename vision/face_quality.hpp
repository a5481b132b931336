// How good a view of a face a picture gives: large, sharp, from the front, and surely one. Pure; it reads
// pixels and knows no track.
#pragma once

#include "base/face.hpp"
#include "base/picture.hpp"

namespace edgecam::vision {

/// From so much on a view is clearly better than another of the same face.
inline constexpr float kClearlyBetter = 0.1F;

/// 0..1: the geometric mean of four measures of 0..1, so that one that is bad cannot be made up for:
/// - size: the box's width, 1 from 96 pixels on;
/// - sharpness: the variance v of the Laplacian of its luma, seen no more than 48 pixels wide, as
///   v / (v + 150). (Variance of the Laplacian as a measure of focus: Pech-Pacheco et al., ICPR 2000.)
/// - pose: 1 from the front; 0 where the nose is as far aside as an eye, as high as the eyes, or twice as low
///   as it should be. 0.5 where no landmarks are known.
/// - the detector's confidence.
/// For telling views of one face apart, not one face from another.
float faceQuality(const Picture& picture, const Face& face);

/// The parts, for tests and for who wonders.
float sharpnessOf(const Picture& picture, const RectNorm& box);
float poseOf(const Face& face, Size picture);

}  // namespace edgecam::vision
