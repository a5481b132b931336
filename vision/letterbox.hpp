// Letterbox: a picture scaled into the top left corner of what a detector looks at, its aspect kept. It knows
// OpenCV and pixels, and nothing of faces.
#pragma once

#include <opencv2/core.hpp>

#include "base/geometry.hpp"
#include "base/picture.hpp"
#include "base/result.hpp"

namespace edgecam::vision {

/// Whether the picture can be looked at: size from 1x1 to 16384x16384, planes there, strides wide enough.
Result<void> checkPicture(const Picture& picture);

/// The size at which `picture` fits into `input`, enlarged if it is smaller. Both sides are even, as I420
/// wants, and at least 2; so the aspect is off by a pixel at most.
Size fittedSize(Size picture, Size input);

/// The picture in BGR, black to the right and below up to a multiple of 32, what YuNet's three scales need to
/// meet without a remainder, and at least 64 rows. Keeps its buffers, so a camera's pictures allocate only
/// once. May throw what OpenCV throws.
class Letterbox {
  public:
    explicit Letterbox(Size input) : input_(input) {}

    /// From the next picture on.
    void fitInto(Size input) { input_ = input; }

    /// `picture` has passed checkPicture(). The result is valid until the next call.
    const cv::Mat& fill(const Picture& picture);
    /// The part of the last result that is picture; the rest is black.
    [[nodiscard]] Size scaled() const { return scaled_; }

  private:
    void shape(Size scaled);

    Size input_;
    Size scaled_;
    cv::Mat i420_;
    cv::Mat canvas_;
};

/// The picture's luma alone, at `scaled`. May throw what OpenCV throws.
cv::Mat scaledLuma(const Picture& picture, Size scaled);

}  // namespace edgecam::vision
