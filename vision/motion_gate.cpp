#include "vision/motion_gate.hpp"

#include <algorithm>
#include <cmath>
#include <functional>
#include <utility>

namespace edgecam::vision {

namespace {

constexpr float kChange = 5;
constexpr int kSamplesAcross = 8;  ///< of a cell, in each direction
constexpr Microseconds kStaysOpen = std::chrono::seconds(1);
constexpr Microseconds kFirstRest = std::chrono::seconds(5);
constexpr Microseconds kLongestRest = std::chrono::seconds(30);

/// The mean of at most 8x8 pixels, evenly over [left, right) and [top, bottom), which are not empty.
float meanOf(const Plane& luma, int left, int top, int right, int bottom) {
    const int across = std::max((right - left) / kSamplesAcross, 1);
    const int down = std::max((bottom - top) / kSamplesAcross, 1);
    int sum = 0;
    int count = 0;
    for (int y = top + down / 2; y < bottom; y += down) {
        const std::uint8_t* line = luma.data + static_cast<std::ptrdiff_t>(y) * luma.stride;
        for (int x = left + across / 2; x < right; x += across, ++count) sum += line[x];
    }
    return static_cast<float>(sum) / static_cast<float>(count);
}

}  // namespace

bool MotionGate::opens(const Picture& picture) {
    const auto cells = cellsOf(picture);
    const Utc now = picture.captureTime;
    if (!cells || !reference_ || now < lookedAt_ || differ(*cells, *reference_)) {
        changedAt_ = now;
        changedBefore_ = true;
        rest_ = kFirstRest;
        return true;
    }
    const bool next = std::exchange(changedBefore_, false);
    if (next || now - changedAt_ < kStaysOpen) return true;
    if (now - lookedAt_ < rest_) return false;
    rest_ = std::min(2 * rest_, kLongestRest);
    return true;
}

void MotionGate::looked(const Picture& picture) {
    reference_ = cellsOf(picture);
    lookedAt_ = picture.captureTime;
}

std::optional<MotionGate::Cells> MotionGate::cellsOf(const Picture& picture) {
    const auto [width, height] = picture.size;
    if (picture.planes[0].data == nullptr || width < static_cast<int>(kColumns) ||
        height < static_cast<int>(kRows)) {
        return std::nullopt;
    }
    const auto edge = [](std::size_t index, std::size_t count, int length) {
        return static_cast<int>(index * static_cast<std::size_t>(length) / count);
    };
    Cells cells;
    for (std::size_t row = 0; row < kRows; ++row) {
        const int top = edge(row, kRows, height);
        const int bottom = edge(row + 1, kRows, height);
        for (std::size_t column = 0; column < kColumns; ++column) {
            cells[row * kColumns + column] = meanOf(picture.planes[0], edge(column, kColumns, width), top,
                                                    edge(column + 1, kColumns, width), bottom);
        }
    }
    return cells;
}

bool MotionGate::differ(const Cells& a, const Cells& b) {
    Cells changes;
    std::ranges::transform(a, b, changes.begin(), std::minus());
    // The middle one: what moves covers less than half of the picture, or is seen at its other edge.
    Cells sorted = changes;
    std::ranges::nth_element(sorted, sorted.begin() + sorted.size() / 2);
    const float common = sorted[sorted.size() / 2];
    return std::ranges::any_of(changes,
                               [common](float change) { return std::abs(change - common) > kChange; });
}

}  // namespace edgecam::vision
