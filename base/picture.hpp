// Picture: a decoded picture to look at, shared between capture and vision. A view: the pixels belong to
// whoever mapped them and stay valid as long as `pixels` is held. Read only.
#pragma once

#include <array>
#include <cstdint>
#include <memory>

#include "base/clock.hpp"
#include "base/geometry.hpp"

namespace edgecam {

struct Plane {
    const std::uint8_t* data = nullptr;
    int stride = 0;  ///< bytes from one row to the next, at least the row's width
};

/// I420: full-size luma, then the two chroma planes at half width and half height, rounded up.
struct Picture {
    Size size;
    std::array<Plane, 3> planes;  ///< Y, U, V
    std::uint32_t sequence = 0;   ///< the camera's picture number
    Utc captureTime;
    std::shared_ptr<const void> pixels;  ///< keeps the planes alive
};

}  // namespace edgecam
