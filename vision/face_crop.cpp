#include "vision/face_crop.hpp"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <opencv2/imgproc.hpp>

#include "vision/letterbox.hpp"
#include "vision/opencv_call.hpp"

namespace edgecam::vision {

namespace {

constexpr float kAround = 1.5F;  ///< the crop's sides against the box's

/// An even stretch [begin, begin + length) of 0..limit that holds what lies in it of begin..end.
struct Stretch {
    int begin = 0;
    int length = 0;
};
Stretch evenStretch(float begin, float end, int limit) {
    const int most = std::max(limit / 2 * 2, 2);
    // Before it becomes an integer: a box may be anywhere, and what is no number is nowhere.
    const auto inside = [&](float at) { return at > 0 ? std::min(at, static_cast<float>(most)) : 0.0F; };
    const int from = std::min(static_cast<int>(inside(begin)) / 2 * 2, most - 2);
    const int to = (static_cast<int>(std::ceil(inside(end))) + 1) / 2 * 2;
    return {from, std::clamp(to - from, 2, most - from)};
}

Size sizeOf(Size luma, std::size_t plane) {
    return plane == 0 ? luma : Size{luma.width / 2, luma.height / 2};
}

int evenSide(int side, double scale) {
    return std::max(2 * static_cast<int>(std::lround(side * scale / 2)), 2);
}

/// `from`: I420 planes with their strides.
Result<FaceCrop> scaled(const std::array<Plane, 3>& from, Size is, Size wanted) {
    return callOpenCv([&]() -> Result<FaceCrop> {
        FaceCrop crop;
        crop.size = wanted;
        for (std::size_t i = 0; i < from.size(); ++i) {
            const Size source = sizeOf(is, i);
            const Size target = sizeOf(wanted, i);
            crop.planes[i].resize(static_cast<std::size_t>(target.width) *
                                  static_cast<std::size_t>(target.height));
            // cv::Mat has no read-only form; nothing here writes to it.
            const cv::Mat pixels(source.height, source.width, CV_8UC1,
                                 const_cast<std::uint8_t*>(from[i].data),
                                 static_cast<std::size_t>(from[i].stride));
            cv::Mat out(target.height, target.width, CV_8UC1, crop.planes[i].data());
            cv::resize(pixels, out, out.size(), 0, 0, cv::INTER_AREA);
        }
        return crop;
    });
}

/// From video's range to JPEG's: luma 16..235 and chroma 16..240 become 0..255 and 0.5..255.5 around 128.
void widenRange(FaceCrop& crop) {
    constexpr double kLuma = 255.0 / 219;
    constexpr double kChroma = 255.0 / 224;
    for (std::size_t i = 0; i < crop.planes.size(); ++i) {
        cv::Mat plane(1, static_cast<int>(crop.planes[i].size()), CV_8UC1, crop.planes[i].data());
        const double gain = i == 0 ? kLuma : kChroma;
        plane.convertTo(plane, CV_8U, gain, i == 0 ? -16 * kLuma : 128 - 128 * kChroma);
    }
}

}  // namespace

CropPlace cropPlace(const RectNorm& box, Size picture) {
    const RectPx px = inPixels(box, picture);
    const float moreX = px.width * (kAround - 1) / 2;
    const float moreY = px.height * (kAround - 1) / 2;
    const Stretch across = evenStretch(px.x - moreX, px.x + px.width + moreX, picture.width);
    const Stretch down = evenStretch(px.y - moreY, px.y + px.height + moreY, picture.height);
    return {across.begin, down.begin, {across.length, down.length}};
}

Result<FaceCrop> cropOf(const Picture& picture, const RectNorm& box) {
    if (const auto usable = checkPicture(picture); !usable) return usable.error();
    if (picture.size.width < 2 || picture.size.height < 2) return Error{"the picture is a single line"};
    const CropPlace place = cropPlace(box, picture.size);
    std::array<Plane, 3> corner = picture.planes;
    for (std::size_t i = 0; i < corner.size(); ++i) {
        const int half = i == 0 ? 1 : 2;
        corner[i].data += std::ptrdiff_t{place.y / half} * corner[i].stride + place.x / half;
    }
    const int longest = std::max(place.size.width, place.size.height);
    const double scale = std::min(1.0, static_cast<double>(FaceCrop::kLongestSide) / longest);
    auto crop =
        scaled(corner, place.size, {evenSide(place.size.width, scale), evenSide(place.size.height, scale)});
    if (crop) widenRange(*crop);
    return crop;
}

Result<FaceCrop> scaledDown(const FaceCrop& crop, double scale) {
    std::array<Plane, 3> planes;
    for (std::size_t i = 0; i < planes.size(); ++i) {
        planes[i] = {crop.planes[i].data(), sizeOf(crop.size, i).width};
    }
    const auto side = [&](int length) {
        return std::min(std::max(evenSide(length, scale), FaceCrop::kLeastSide), length);
    };
    return scaled(planes, crop.size, {side(crop.size.width), side(crop.size.height)});
}

}  // namespace edgecam::vision
