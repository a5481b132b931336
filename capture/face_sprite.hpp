// FaceSprite: a drawn person, painted once and then copied into picture after picture. Pure; knows nothing of
// where the person goes.
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "base/geometry.hpp"

namespace edgecam::capture {

/// Red, green, blue, 0..1.
struct Rgb {
    float red = 0;
    float green = 0;
    float blue = 0;
};

/// Studio-range Y'CbCr, 8 bits.
using Yuv = std::array<std::uint8_t, 3>;

/// ITU-R BT.601, or BT.709 for high definition.
Yuv yuvOf(Rgb colour, bool highDefinition);

enum class Hair { shortParted, longOpen, bun };

struct Likeness {
    Rgb skin;
    Rgb hair;
    Rgb shirt;
    Rgb iris;
    Hair style = Hair::shortParted;
};

/// I420 with a mask. Width and height are even.
struct Sprite {
    /// Columns of one row: begin ≤ solidBegin ≤ solidEnd ≤ end. Outside [begin, end) the mask is 0, in
    /// [solidBegin, solidEnd) it is 255: most of a row is copied, not blended.
    struct Span {
        int begin = 0;
        int solidBegin = 0;
        int solidEnd = 0;
        int end = 0;
    };
    struct Layer {
        Size size;
        std::vector<std::uint8_t> pixels;
        std::vector<std::uint8_t> mask;  ///< 0 shows the background, 255 hides it
        std::vector<Span> spans;         ///< one a row
    };
    std::array<Layer, 3> layers;  ///< Y, U, V
    RectPx face;                  ///< hairline to chin, cheek to cheek, in the sprite's pixels
    int centreX = 0;              ///< of the face, likewise
    int centreY = 0;
};

/// Someone from the hair down: the face is `faceWidth` pixels wide, the body reaches `below` pixels below its
/// centre.
Sprite paintPerson(const Likeness& likeness, int faceWidth, int below, bool highDefinition);

}  // namespace edgecam::capture
