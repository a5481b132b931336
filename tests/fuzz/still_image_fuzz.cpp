#include <algorithm>
#include <numeric>

#include "capture/gst.hpp"
#include "capture/still_image.hpp"

using namespace edgecam;

namespace {

void require(bool holds) {
    if (!holds) __builtin_trap();
}

/// All of it can be read: the sanitizer watches.
unsigned sumOf(const Plane& plane, Size size) {
    unsigned sum = 0;
    for (int y = 0; y < size.height; ++y) {
        const std::uint8_t* row = plane.data + static_cast<std::ptrdiff_t>(y) * plane.stride;
        sum = std::accumulate(row, row + size.width, sum);
    }
    return sum;
}

void check(const Picture& picture) {
    require(!picture.size.empty() &&
            std::max(picture.size.width, picture.size.height) <= capture::kLargestSide);
    const Size chroma{(picture.size.width + 1) / 2, (picture.size.height + 1) / 2};
    for (std::size_t i = 0; i < picture.planes.size(); ++i) {
        (void)sumOf(picture.planes[i], i == 0 ? picture.size : chroma);
    }
    const RectNorm boxes[]{{-0.5F, -0.5F, 2, 2}, {0.9F, 0.9F, 0.2F, 0.2F}};
    require(capture::withBoxes(picture, boxes).size == picture.size);
}

}  // namespace

// A file that is given to `edgecam detect`: a picture of the size that it says, or a sentence. Pictures above
// a size are refused before memory is taken for them.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const auto picture = capture::decodePicture({data, size});
    if (picture) {
        check(*picture);
    } else {
        require(!picture.error().message.empty());
    }
    return 0;
}
