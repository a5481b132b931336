#include "vision/face_quality.hpp"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <numeric>
#include <vector>

namespace edgecam::vision {

namespace {

constexpr float kLargeEnoughPx = 96;
constexpr int kMostSide = 48;
constexpr float kMiddlingVariance = 150;
constexpr float kUnknownPose = 0.5F;
/// Of a face from the front, how far the nose's tip is on the way from the eyes to the mouth.
constexpr float kNoseAt = 0.55F;
constexpr float kAtAnEye = 0.5F;  ///< of the eyes' distance, aside

/// A square of luma, row by row.
struct SeenLuma {
    std::size_t side = 0;
    std::vector<float> values;
    [[nodiscard]] float at(std::size_t x, std::size_t y) const { return values[y * side + x]; }
};

/// The mean of a rectangle of pixels; its bounds lie in the picture, and it is not empty.
float meanLuma(const Picture& picture, int left, int top, int right, int bottom) {
    int sum = 0;
    for (int y = top; y < bottom; ++y) {
        const std::uint8_t* line =
            picture.planes[0].data + static_cast<std::ptrdiff_t>(y) * picture.planes[0].stride;
        sum = std::accumulate(line + left, line + right, sum);
    }
    return static_cast<float>(sum) / static_cast<float>((bottom - top) * (right - left));
}

/// The box's luma, each value the mean of what it covers: a larger face must not look sharper for having more
/// pixels. No more values than pixels, since repeated ones would have edges that the face has not.
SeenLuma seen(const Picture& picture, const RectNorm& box) {
    const RectPx inside = inPixels(clipped(box), picture.size);
    const int side = std::clamp(static_cast<int>(std::min(inside.width, inside.height)), 1, kMostSide);
    const auto edge = [side](float from, float length, int step, int most) {
        const float at = from + length * static_cast<float>(step) / static_cast<float>(side);
        return std::clamp(static_cast<int>(at), 0, most);
    };
    SeenLuma luma{.side = static_cast<std::size_t>(side), .values = {}};
    for (int row = 0; row < side; ++row) {
        const int top = edge(inside.y, inside.height, row, picture.size.height - 1);
        const int bottom = std::max(edge(inside.y, inside.height, row + 1, picture.size.height), top + 1);
        for (int column = 0; column < side; ++column) {
            const int left = edge(inside.x, inside.width, column, picture.size.width - 1);
            const int right =
                std::max(edge(inside.x, inside.width, column + 1, picture.size.width), left + 1);
            luma.values.push_back(meanLuma(picture, left, top, right, bottom));
        }
    }
    return luma;
}

/// 1 at `best`, falling to 0 at `worst` away from it.
float nearness(float value, float best, float worst) {
    return std::clamp(1 - std::abs(value - best) / worst, 0.0F, 1.0F);
}

}  // namespace

float sharpnessOf(const Picture& picture, const RectNorm& box) {
    if (picture.size.empty() || picture.planes[0].data == nullptr || clipped(box).area() <= 0) return 0;
    const SeenLuma luma = seen(picture, box);
    if (luma.side < 3) return 0;
    float sum = 0;
    float squares = 0;
    for (std::size_t y = 1; y + 1 < luma.side; ++y) {
        for (std::size_t x = 1; x + 1 < luma.side; ++x) {
            const float edge = luma.at(x, y - 1) + luma.at(x, y + 1) + luma.at(x - 1, y) + luma.at(x + 1, y) -
                               4 * luma.at(x, y);
            sum += edge;
            squares += edge * edge;
        }
    }
    const auto count = static_cast<float>((luma.side - 2) * (luma.side - 2));
    const float variance = squares / count - (sum / count) * (sum / count);
    return variance / (variance + kMiddlingVariance);
}

float poseOf(const Face& face, Size picture) {
    if (!face.landmarks) return kUnknownPose;
    const auto width = static_cast<float>(picture.width);
    const auto height = static_cast<float>(picture.height);
    const auto px = [&](std::size_t which) {
        const PointNorm& point = (*face.landmarks)[which];
        return PointNorm{point.x * width, point.y * height};
    };
    const auto middle = [](PointNorm a, PointNorm b) { return PointNorm{(a.x + b.x) / 2, (a.y + b.y) / 2}; };
    const PointNorm eyes = middle(px(0), px(1));
    const PointNorm mouth = middle(px(3), px(4));
    // Across and along the head, so that one that is held askew is no worse.
    const PointNorm across{px(1).x - px(0).x, px(1).y - px(0).y};
    const float apart = std::hypot(across.x, across.y);
    const PointNorm along{mouth.x - eyes.x, mouth.y - eyes.y};
    const float length = std::hypot(along.x, along.y);
    if (apart <= 0 || length <= 0) return 0;
    const PointNorm nose{px(2).x - eyes.x, px(2).y - eyes.y};
    const float sideways = (nose.x * across.x + nose.y * across.y) / (apart * apart);
    const float down = (nose.x * along.x + nose.y * along.y) / (length * length);
    return nearness(sideways, 0, kAtAnEye) * nearness(down, kNoseAt, kNoseAt);
}

float faceQuality(const Picture& picture, const Face& face) {
    const float width = face.box.width * static_cast<float>(picture.size.width);
    const float size = std::clamp(width / kLargeEnoughPx, 0.0F, 1.0F);
    const float product = size * sharpnessOf(picture, face.box) * poseOf(face, picture.size) *
                          std::clamp(face.confidence, 0.0F, 1.0F);
    return std::sqrt(std::sqrt(product));
}

}  // namespace edgecam::vision
