#include "vision/face_quality.hpp"

#include <doctest/doctest.h>

#include <cmath>
#include <vector>

using namespace edgecam;
using namespace edgecam::vision;

namespace {

/// A checkerboard of luma whose edges are `blur` pixels wide.
Picture checkerboard(Size size, double squarePx, double blur) {
    auto pixels = std::make_shared<std::vector<std::uint8_t>>();
    for (int y = 0; y < size.height; ++y) {
        for (int x = 0; x < size.width; ++x) {
            const double wave = std::sin(x * M_PI / squarePx) * std::sin(y * M_PI / squarePx);
            pixels->push_back(
                static_cast<std::uint8_t>(std::lround(128 + 100 * std::tanh(wave * squarePx / blur))));
        }
    }
    Picture picture;
    picture.size = size;
    picture.planes[0] = {pixels->data(), size.width};
    picture.pixels = std::move(pixels);
    return picture;
}

constexpr RectNorm kMiddle{0.25F, 0.25F, 0.5F, 0.5F};

/// A face of 96x96 pixels in the middle of 192x192, its nose so far aside and down, of the eyes' distance and
/// of the way to the mouth.
Face looking(float aside, float down, float tilt = 0) {
    const auto turned = [&](float x, float y) {
        return PointNorm{0.5F + x * std::cos(tilt) - y * std::sin(tilt),
                         0.45F + x * std::sin(tilt) + y * std::cos(tilt)};
    };
    Face face{kMiddle, 0.9F, Landmarks{}};
    *face.landmarks = {turned(-0.1F, 0), turned(0.1F, 0), turned(0.2F * aside, 0.2F * down),
                       turned(-0.07F, 0.2F), turned(0.07F, 0.2F)};
    return face;
}

}  // namespace

TEST_CASE("sharp is better than blurred, and nothing is sharp in nothing") {
    const float sharp = sharpnessOf(checkerboard({192, 192}, 16, 1), kMiddle);
    const float soft = sharpnessOf(checkerboard({192, 192}, 16, 20), kMiddle);
    const float flat = sharpnessOf(checkerboard({192, 192}, 16, 1e9), kMiddle);
    CAPTURE(sharp);
    CAPTURE(soft);
    CHECK(sharp > soft * 1.2F);
    CHECK(soft > flat);
    CHECK(flat == doctest::Approx(0));
    CHECK(sharpnessOf(checkerboard({192, 192}, 16, 1), {0.5F, 0.5F, 0, 0.1F}) == 0);
    CHECK(sharpnessOf(checkerboard({192, 192}, 16, 1), {0.5F, 0.5F, 0.005F, 0.005F}) == 0);
    CHECK(sharpnessOf(Picture(), kMiddle) == 0);
}

TEST_CASE("the same view at twice the pixels is about as sharp") {
    const float small = sharpnessOf(checkerboard({192, 192}, 16, 4), kMiddle);
    const float large = sharpnessOf(checkerboard({384, 384}, 32, 8), kMiddle);
    CHECK(large == doctest::Approx(small).epsilon(0.1));
}

TEST_CASE("a box that reaches out of the picture is measured inside it") {
    const Picture picture = checkerboard({64, 48}, 2, 0.2);
    for (const RectNorm& box : {RectNorm{-0.5F, -0.5F, 2, 2}, RectNorm{0.9F, 0.9F, 0.5F, 0.5F}}) {
        CHECK(sharpnessOf(picture, box) > 0);
    }
}

TEST_CASE("from the front is best, however the head is held") {
    const Size picture{192, 192};
    const float front = poseOf(looking(0, 0.55F), picture);
    CHECK(front == doctest::Approx(1));
    CHECK(poseOf(looking(0, 0.55F, 0.6F), picture) == doctest::Approx(1));
    CHECK(poseOf(looking(0.2F, 0.55F), picture) == doctest::Approx(poseOf(looking(-0.2F, 0.55F), picture)));
    CHECK(poseOf(looking(0.2F, 0.55F), picture) < front);
    CHECK(poseOf(looking(0.5F, 0.55F), picture) == doctest::Approx(0));
    CHECK(poseOf(looking(0, 0), picture) == doctest::Approx(0));
    CHECK(poseOf(looking(0, 0.8F), picture) < front);
    Face unknown = looking(0, 0.55F);
    unknown.landmarks.reset();
    CHECK(poseOf(unknown, picture) == 0.5F);
    unknown.landmarks = Landmarks{};  // all in one place
    CHECK(poseOf(unknown, picture) == 0);
}

TEST_CASE("each measure that is worse makes the view worse") {
    const Picture sharp = checkerboard({192, 192}, 16, 1);
    const float best = faceQuality(sharp, looking(0, 0.55F));
    CHECK(best > 0.8F);
    CHECK(best <= 1);
    CHECK(faceQuality(checkerboard({192, 192}, 16, 40), looking(0, 0.55F)) < best);
    CHECK(faceQuality(sharp, looking(0.3F, 0.55F)) < best);
    Face doubtful = looking(0, 0.55F);
    doubtful.confidence = 0.5F;
    CHECK(faceQuality(sharp, doubtful) < best);
    CHECK(faceQuality(checkerboard({96, 96}, 8, 0.5), looking(0, 0.55F)) < best);  // half as large
}
