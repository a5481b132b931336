// Time code: a number in the picture that a machine reads back after coding, decoding and scaling, and beside
// it the time of day for people.
//
// A band of a twelfth of the height at the top: two rows of 36 black or white cells, each 1/64 of the width
// and 1/36 of the height, from (1/64, 1/72) on. Row by row, the most significant bit first: 56 bits of value,
// 16 bits of CRC.
#pragma once

#include <cstdint>

#include "base/geometry.hpp"

namespace edgecam::capture {

struct Canvas;

inline constexpr std::uint64_t kTimeCodeMask = (std::uint64_t{1} << 56) - 1;

/// Rows of the band in a picture of that size: nothing else is to be drawn there.
constexpr int timeCodeRows(Size picture) {
    return (picture.height / 12 + 2) / 2 * 2;
}

/// Draws the band with `timeCode` (its low 56 bits), microseconds UTC.
void drawTimeCode(Canvas& canvas, std::uint64_t timeCode);

}  // namespace edgecam::capture
