#include <doctest/doctest.h>

#include "base/geometry.hpp"

using namespace edgecam;

TEST_CASE(
    "intersection over union is one for a box with itself, zero for strangers, a third for a half overlap") {
    const RectNorm box{0.1F, 0.1F, 0.2F, 0.2F};
    CHECK(intersectionOverUnion(box, box) == doctest::Approx(1.0));
    CHECK(intersectionOverUnion(box, {0.5F, 0.5F, 0.2F, 0.2F}) == 0);
    CHECK(intersectionOverUnion(box, {0.2F, 0.1F, 0.2F, 0.2F}) == doctest::Approx(1.0 / 3));
    CHECK(intersectionOverUnion(box, {}) == 0);
}

TEST_CASE("pixels and fractions convert both ways") {
    const Size picture{640, 360};
    const RectPx box{64, 36, 320, 180};
    const RectNorm fraction = normalised(box, picture);
    CHECK(fraction.x == doctest::Approx(0.1));
    CHECK(fraction.height == doctest::Approx(0.5));
    const RectPx back = inPixels(fraction, picture);
    CHECK(back.width == doctest::Approx(320));
    CHECK(back.y == doctest::Approx(36));
}

TEST_CASE("a box is clipped to the picture and is empty outside it") {
    const RectNorm half = clipped({-0.1F, 0.5F, 0.2F, 1.0F});
    CHECK(half.x == 0);
    CHECK(half.width == doctest::Approx(0.1));
    CHECK(half.height == doctest::Approx(0.5));
    CHECK(clipped({1.5F, 0.2F, 0.3F, 0.3F}).area() == 0);
}
