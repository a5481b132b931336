#include "vision/yunet_decode.hpp"

#include <algorithm>
#include <cmath>
#include <string>

namespace edgecam::vision {

namespace {

constexpr std::size_t kBoxValues = 4;
constexpr std::size_t kLandmarkValues = 10;
// e^6 strides are 400 cells: wider than any input. Keeps exp() from infinity when the network is off the
// rails.
constexpr float kLargestLogSize = 6.0F;

struct Grid {
    int columns = 0;
    std::size_t cells = 0;
};

Result<Grid> gridOf(const YunetScale& scale, Size padded) {
    if (scale.stride <= 0) return Error{"YuNet: a stride of nothing"};
    const int columns = padded.width / scale.stride;
    const int rows = padded.height / scale.stride;
    const std::size_t cells = static_cast<std::size_t>(columns) * static_cast<std::size_t>(rows);
    if (scale.faceness.size() != cells || scale.objectness.size() != cells ||
        scale.box.size() != cells * kBoxValues || scale.landmarks.size() != cells * kLandmarkValues) {
        return Error{"YuNet: the outputs of stride " + std::to_string(scale.stride) + " don't fit the input"};
    }
    return Grid{columns, cells};
}

/// Not a number counts as 0.
float clamped01(float value) {
    return value > 0 ? std::min(value, 1.0F) : 0;
}

bool isFinite(std::span<const float> values) {
    return std::all_of(values.begin(), values.end(), [](float value) { return std::isfinite(value); });
}

/// One cell of the grid: turns its numbers, which are in strides and relative to it, into fractions.
struct Cell {
    float column;
    float row;
    float scaleX;  // picture widths in a stride
    float scaleY;

    [[nodiscard]] RectNorm box(std::span<const float> values) const {
        const float width = std::exp(std::min(values[2], kLargestLogSize)) * scaleX;
        const float height = std::exp(std::min(values[3], kLargestLogSize)) * scaleY;
        const float centreX = (column + values[0]) * scaleX;
        const float centreY = (row + values[1]) * scaleY;
        return {centreX - width / 2, centreY - height / 2, width, height};
    }

    [[nodiscard]] Landmarks landmarks(std::span<const float> values) const {
        Landmarks points;
        for (std::size_t k = 0; k < points.size(); ++k) {
            points[k] = {(column + values[2 * k]) * scaleX, (row + values[2 * k + 1]) * scaleY};
        }
        return points;
    }
};

Cell cellAt(std::size_t index, const Grid& grid, int stride, Size picture) {
    const int number = static_cast<int>(index);
    const auto step = static_cast<float>(stride);
    return {static_cast<float>(number % grid.columns), static_cast<float>(number / grid.columns),
            step / static_cast<float>(picture.width), step / static_cast<float>(picture.height)};
}

}  // namespace

Result<std::vector<Face>> decodeYunet(std::span<const YunetScale> scales, const YunetInput& input,
                                      float minScore) {
    std::vector<Face> faces;
    for (const YunetScale& scale : scales) {
        const auto grid = gridOf(scale, input.padded);
        if (!grid) return grid.error();
        for (std::size_t i = 0; i < grid->cells; ++i) {
            const float score = std::sqrt(clamped01(scale.faceness[i]) * clamped01(scale.objectness[i]));
            if (score < minScore) continue;
            const auto box = scale.box.subspan(i * kBoxValues, kBoxValues);
            const auto points = scale.landmarks.subspan(i * kLandmarkValues, kLandmarkValues);
            if (!isFinite(box) || !isFinite(points)) continue;
            const Cell cell = cellAt(i, *grid, scale.stride, input.picture);
            faces.push_back({cell.box(box), score, cell.landmarks(points)});
        }
    }
    return faces;
}

}  // namespace edgecam::vision
