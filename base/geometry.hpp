// Sizes, points and boxes. Pixels and fractions of the picture are different types.
#pragma once

#include <algorithm>

namespace edgecam {

/// Pixels.
struct Size {
    int width = 0;
    int height = 0;
    bool operator==(const Size&) const = default;
    [[nodiscard]] bool empty() const { return width <= 0 || height <= 0; }
};

/// Fractions of the picture: (0,0) is its top left corner, (1,1) its bottom right one.
struct PointNorm {
    float x = 0;
    float y = 0;
    bool operator==(const PointNorm&) const = default;
};

/// Fractions of the picture; x, y is the top left corner.
struct RectNorm {
    float x = 0;
    float y = 0;
    float width = 0;
    float height = 0;
    bool operator==(const RectNorm&) const = default;

    [[nodiscard]] float area() const { return std::max(0.0F, width) * std::max(0.0F, height); }
};

/// Pixels; x, y is the top left corner. Fractional: detectors answer between pixels.
struct RectPx {
    float x = 0;
    float y = 0;
    float width = 0;
    float height = 0;
    bool operator==(const RectPx&) const = default;
};

inline RectNorm normalised(const RectPx& box, Size picture) {
    const auto width = static_cast<float>(picture.width);
    const auto height = static_cast<float>(picture.height);
    return {box.x / width, box.y / height, box.width / width, box.height / height};
}

inline RectPx inPixels(const RectNorm& box, Size picture) {
    const auto width = static_cast<float>(picture.width);
    const auto height = static_cast<float>(picture.height);
    return {box.x * width, box.y * height, box.width * width, box.height * height};
}

/// The part of the box inside the picture; empty (zero width or height) when there is none.
inline RectNorm clipped(const RectNorm& box) {
    const float left = std::clamp(box.x, 0.0F, 1.0F);
    const float top = std::clamp(box.y, 0.0F, 1.0F);
    const float right = std::clamp(box.x + box.width, 0.0F, 1.0F);
    const float bottom = std::clamp(box.y + box.height, 0.0F, 1.0F);
    return {left, top, right - left, bottom - top};
}

/// Intersection over union, 0..1; 0 for empty boxes. Both in the same unit of the same picture.
inline float intersectionOverUnion(const RectNorm& a, const RectNorm& b) {
    const float width = std::min(a.x + a.width, b.x + b.width) - std::max(a.x, b.x);
    const float height = std::min(a.y + a.height, b.y + b.height) - std::max(a.y, b.y);
    if (width <= 0 || height <= 0) return 0;
    const float common = width * height;
    return common / (a.area() + b.area() - common);
}

}  // namespace edgecam
