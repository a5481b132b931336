// Pictures made in memory: plain ones of any size and stride, and one with a face drawn into it.
#pragma once

#include <cstring>
#include <memory>
#include <opencv2/imgproc.hpp>
#include <vector>

#include "base/picture.hpp"

namespace edgecam::test {

/// One colour. `slack` bytes lie behind each row, with a value that would show if somebody took them for
/// pixels.
inline Picture plainPicture(Size size, std::uint8_t y, std::uint8_t u, std::uint8_t v, int slack = 0) {
    Picture picture;
    picture.size = size;
    const auto bytes = std::make_shared<std::vector<std::vector<std::uint8_t>>>();
    const std::array<std::uint8_t, 3> values{y, u, v};
    for (std::size_t i = 0; i < 3; ++i) {
        const int width = i == 0 ? size.width : (size.width + 1) / 2;
        const int height = i == 0 ? size.height : (size.height + 1) / 2;
        const int stride = width + slack;
        auto& plane =
            bytes->emplace_back(static_cast<std::size_t>(stride) * static_cast<std::size_t>(height), 255);
        for (int row = 0; row < height; ++row) {
            std::memset(plane.data() + static_cast<std::ptrdiff_t>(row) * stride, values[i],
                        static_cast<std::size_t>(width));
        }
        picture.planes[i].stride = stride;
    }
    for (std::size_t i = 0; i < 3; ++i) picture.planes[i].data = (*bytes)[i].data();
    picture.pixels = bytes;
    return picture;
}

/// `bgr` has even sides.
inline Picture pictureOf(const cv::Mat& bgr) {
    const auto i420 = std::make_shared<cv::Mat>();
    cv::cvtColor(bgr, *i420, cv::COLOR_BGR2YUV_I420);
    Picture picture;
    picture.size = {bgr.cols, bgr.rows};
    const std::uint8_t* const u = i420->data + bgr.total();
    picture.planes = {Plane{i420->data, bgr.cols}, Plane{u, bgr.cols / 2},
                      Plane{u + bgr.total() / 4, bgr.cols / 2}};
    picture.pixels = i420;
    return picture;
}

/// Where the drawn face is, brow to chin, for a head so wide around that centre.
inline RectPx drawnFaceBox(cv::Point2f centre, float width) {
    return {centre.x - width * 0.5F, centre.y - width * 0.62F, width, width * 1.28F};
}

/// A head good enough for a detector: shaded skin, hair, brows, eyes, nose, mouth.
inline void drawFace(cv::Mat& bgr, cv::Point2f centre, float width) {
    const auto at = [&](float x, float y) {
        return cv::Point(cvRound(centre.x + x * width), cvRound(centre.y + y * width));
    };
    const auto oval = [&](float x, float y, float w, float h, const cv::Scalar& colour) {
        cv::ellipse(bgr, at(x, y), {cvRound(w * width), cvRound(h * width)}, 0, 0, 360, colour, cv::FILLED,
                    cv::LINE_AA);
    };
    oval(0, -0.12F, 0.53F, 0.68F, {30, 40, 50});  // hair
    for (int i = 0; i <= 10; ++i) {               // skin, lighter towards the middle
        const float rim = 1 - 0.06F * static_cast<float>(i);
        oval(0, 0.02F, 0.46F * rim, 0.62F * rim, {120.0 + 5 * i, 150.0 + 5 * i, 190.0 + 5 * i});
    }
    for (const float side : {-1.0F, 1.0F}) {
        oval(side * 0.2F, -0.1F, 0.12F, 0.08F, {110, 140, 180});     // socket
        oval(side * 0.2F, -0.09F, 0.085F, 0.045F, {235, 235, 235});  // white
        oval(side * 0.2F, -0.09F, 0.04F, 0.04F, {30, 30, 30});       // pupil
        oval(side * 0.2F, -0.21F, 0.11F, 0.022F, {40, 50, 60});      // brow
        oval(side * 0.045F, 0.17F, 0.03F, 0.018F, {90, 110, 150});   // nostril
    }
    oval(0, 0.06F, 0.04F, 0.12F, {165, 195, 235});  // bridge of the nose
    oval(0, 0.34F, 0.16F, 0.045F, {90, 90, 180});   // lips
    oval(0, 0.34F, 0.14F, 0.01F, {50, 50, 110});
}

/// A grey room with one such face.
inline cv::Mat roomWithFace(Size size, cv::Point2f centre, float width) {
    cv::Mat bgr(size.height, size.width, CV_8UC3, cv::Scalar(120, 125, 110));
    drawFace(bgr, centre, width);
    cv::GaussianBlur(bgr, bgr, {5, 5}, 1.2);
    return bgr;
}

}  // namespace edgecam::test
