#include "vision/letterbox.hpp"

#include <algorithm>
#include <cmath>
#include <opencv2/imgproc.hpp>
#include <string>

namespace edgecam::vision {

namespace {

constexpr int kLongestSide = 16384;
constexpr int kGrid = 32;  // YuNet's coarsest stride
// OpenCV 4.6's DNN module reads past its buffers when a layer is one row high (seen with valgrind).
constexpr int kLeastRows = 2 * kGrid;

int roundUp(int length, int multiple) {
    return (length + multiple - 1) / multiple * multiple;
}

int evenSide(int side, double scale, int limit) {
    const int even = 2 * static_cast<int>(std::lround(side * scale / 2));
    return std::clamp(even, 2, std::max(2, limit / 2 * 2));
}

Size planeSize(Size picture, std::size_t plane) {
    if (plane == 0) return picture;
    return {(picture.width + 1) / 2, (picture.height + 1) / 2};
}

// cv::Mat has no read-only form; nothing here writes to it.
cv::Mat viewOfPlane(const Picture& picture, std::size_t index) {
    const Plane& plane = picture.planes[index];
    const Size size = planeSize(picture.size, index);
    return {size.height, size.width, CV_8UC1, const_cast<std::uint8_t*>(plane.data),
            static_cast<std::size_t>(plane.stride)};
}

}  // namespace

Result<void> checkPicture(const Picture& picture) {
    const auto [width, height] = picture.size;
    if (picture.size.empty() || width > kLongestSide || height > kLongestSide) {
        return Error{"a picture of " + std::to_string(width) + "x" + std::to_string(height) +
                     " can't be analysed"};
    }
    for (std::size_t i = 0; i < picture.planes.size(); ++i) {
        if (picture.planes[i].data == nullptr) return Error{"the picture has no pixels"};
        if (picture.planes[i].stride < planeSize(picture.size, i).width) {
            return Error{"the picture's rows are shorter than its width"};
        }
    }
    return {};
}

Size fittedSize(Size picture, Size input) {
    const double scale = std::min(static_cast<double>(input.width) / picture.width,
                                  static_cast<double>(input.height) / picture.height);
    return {evenSide(picture.width, scale, input.width), evenSide(picture.height, scale, input.height)};
}

const cv::Mat& Letterbox::fill(const Picture& picture) {
    shape(fittedSize(picture.size, input_));
    // Scaling the planes and converting the little that is left costs a quarter of the other order. OpenCV
    // reads I420 as one block, the chroma planes behind the luma.
    std::uint8_t* at = i420_.data;
    for (std::size_t i = 0; i < picture.planes.size(); ++i) {
        const Size size = planeSize(scaled_, i);
        cv::Mat part(size.height, size.width, CV_8UC1, at);
        cv::resize(viewOfPlane(picture, i), part, part.size(), 0, 0, cv::INTER_AREA);
        at += part.total();
    }
    cv::Mat corner = canvas_(cv::Rect(0, 0, scaled_.width, scaled_.height));
    cv::cvtColor(i420_, corner, cv::COLOR_YUV2BGR_I420);
    return canvas_;
}

void Letterbox::shape(Size scaled) {
    if (scaled == scaled_) return;
    i420_.create(scaled.height * 3 / 2, scaled.width, CV_8UC1);
    const int rows = std::max(roundUp(scaled.height, kGrid), kLeastRows);
    canvas_ = cv::Mat::zeros(rows, roundUp(scaled.width, kGrid), CV_8UC3);
    scaled_ = scaled;
}

cv::Mat scaledLuma(const Picture& picture, Size scaled) {
    cv::Mat luma;
    cv::resize(viewOfPlane(picture, 0), luma, {scaled.width, scaled.height}, 0, 0, cv::INTER_AREA);
    return luma;
}

}  // namespace edgecam::vision
