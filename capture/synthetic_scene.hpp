// SyntheticScene: the test camera's world. Drawn faces that move on known paths, a time code a machine can
// read back from the picture, colour bars, noise. A pure function of the picture number: the same number, the
// same picture. Positions and time code are the same on every machine; a shade may differ by a rounding step.
// Needs no photo and no font.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "base/geometry.hpp"
#include "base/picture.hpp"
#include "capture/source_uri.hpp"

namespace edgecam::capture {

/// I420 pixels to draw into. Strides are at least the plane's width.
struct Canvas {
    Size size;  ///< even numbers, at least 320x180
    std::uint8_t* planes[3] = {nullptr, nullptr, nullptr};
    int strides[3] = {0, 0, 0};
};

/// Immutable after construction, so thread-safe.
class SyntheticScene {
  public:
    /// `size`: as a Canvas's. `frameRate`, pictures a second, says how fast things move; 0 or less counts
    /// as 30.
    SyntheticScene(TestPattern pattern, Size size, double frameRate);
    ~SyntheticScene();

    /// Draws picture `number` with `timeCode` (any 56-bit value; meant for the capture time, µs UTC) as black
    /// and white cells, and beside them as the time of day.
    void draw(Canvas& canvas, std::uint32_t number, std::uint64_t timeCode) const;

    /// Where the faces of picture `number` are: exact boxes (hairline to chin, cheek to cheek), fractions of
    /// the picture, from left to right. Three, or two while the person on the right is away, which is every
    /// 20 s; a face whose box is not wholly inside the picture is not among them. They never touch each other
    /// or the time code.
    [[nodiscard]] std::vector<RectNorm> faces(std::uint32_t number) const;

  private:
    struct Sprites;
    /// Of a sprite, upper left, pixels; even, so that luma and chroma stay together.
    struct Corner {
        int x;
        int y;
    };
    [[nodiscard]] double secondsAt(std::uint32_t number) const;
    [[nodiscard]] Corner cornerOf(std::size_t person, std::uint32_t number) const;

    TestPattern pattern_;
    Size size_;
    double frameRate_;
    std::unique_ptr<const Sprites> sprites_;  ///< null for noise
};

/// The time code drawn into a picture, after coding and decoding; nothing when its checksum does not fit.
/// Works on a picture scaled to any size of at least 320 pixels width.
std::optional<std::uint64_t> readTimeCode(const Picture& picture);

}  // namespace edgecam::capture
