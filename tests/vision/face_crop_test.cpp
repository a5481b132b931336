#include "vision/face_crop.hpp"

#include <doctest/doctest.h>

#include <limits>

#include "tests/vision/test_picture.hpp"

using namespace edgecam;
using namespace edgecam::vision;
using edgecam::test::plainPicture;

namespace {

/// Luma says where a pixel is: 16 and twice its column and its row more; chroma is in the middle.
Picture ramp(Size size) {
    Picture picture = plainPicture(size, 0, 128, 128, 7);
    auto* luma = const_cast<std::uint8_t*>(picture.planes[0].data);
    for (int y = 0; y < size.height; ++y) {
        for (int x = 0; x < size.width; ++x) {
            luma[y * picture.planes[0].stride + x] = static_cast<std::uint8_t>(16 + 2 * x + y);
        }
    }
    return picture;
}

std::uint8_t widened(int luma) {
    return static_cast<std::uint8_t>(std::clamp(std::lround((luma - 16) * 255.0 / 219), 0L, 255L));
}

}  // namespace

TEST_CASE("a crop is the box and a quarter more on each side, on even pixels inside the picture") {
    struct Case {
        const char* what;
        RectNorm box;
        Size picture;
        CropPlace place;
    };
    const float nan = std::numeric_limits<float>::quiet_NaN();
    const Case cases[] = {
        {"in the middle", {0.4F, 0.4F, 0.2F, 0.2F}, {200, 100}, {70, 34, {60, 32}}},
        {"in a corner", {0, 0, 0.2F, 0.2F}, {200, 100}, {0, 0, {50, 26}}},
        {"beyond the other corner", {0.9F, 0.9F, 0.5F, 0.5F}, {200, 100}, {154, 76, {46, 24}}},
        {"odd sides", {0, 0, 1, 1}, {101, 51}, {0, 0, {100, 50}}},
        {"no box at all", {0.5F, 0.5F, 0, 0}, {200, 100}, {100, 50, {2, 2}}},
        {"outside", {2, 2, 0.1F, 0.1F}, {200, 100}, {198, 98, {2, 2}}},
        {"no number", {nan, 0.4F, nan, 0.2F}, {200, 100}, {0, 34, {2, 32}}},
        {"small picture", {0, 0, 1, 1}, {2, 2}, {0, 0, {2, 2}}},
    };
    for (const Case& c : cases) {
        CAPTURE(c.what);
        const CropPlace place = cropPlace(c.box, c.picture);
        CHECK(place.x == c.place.x);
        CHECK(place.y == c.place.y);
        CHECK(place.size.width == c.place.size.width);
        CHECK(place.size.height == c.place.size.height);
    }
}

TEST_CASE("a crop has the pixels of its place, in JPEG's range") {
    const Picture picture = ramp({80, 60});
    const RectNorm box{0.25F, 0.25F, 0.5F, 0.5F};
    const CropPlace place = cropPlace(box, picture.size);
    const auto crop = cropOf(picture, box);
    REQUIRE(crop);
    REQUIRE(crop->size == place.size);
    REQUIRE(crop->planes[0].size() == static_cast<std::size_t>(place.size.width * place.size.height));
    REQUIRE(crop->planes[1].size() == crop->planes[0].size() / 4);
    for (const int y : {0, 7, place.size.height - 1}) {
        for (const int x : {0, 11, place.size.width - 1}) {
            const int luma = 16 + 2 * (place.x + x) + (place.y + y);
            CHECK(crop->planes[0][static_cast<std::size_t>(y * place.size.width + x)] == widened(luma));
        }
    }
    for (const auto plane : {1U, 2U}) {
        for (const std::uint8_t value : crop->planes[plane]) REQUIRE(value == 128);
    }
}

TEST_CASE("a large face becomes a crop of 256 pixels, and can be made smaller down to 16") {
    const Picture picture = plainPicture({1920, 1080}, 90, 100, 140, 3);
    const auto crop = cropOf(picture, {0.1F, 0.1F, 0.4F, 0.5F});
    REQUIRE(crop);
    CHECK(std::max(crop->size.width, crop->size.height) == FaceCrop::kLongestSide);
    CHECK(crop->planes[0].front() == widened(90));
    auto smaller = scaledDown(*crop, 0.5);
    REQUIRE(smaller);
    CHECK(smaller->size == Size{128, 88});
    for (int i = 0; i < 8; ++i) smaller = scaledDown(*smaller, 0.5);
    CHECK(smaller->size == Size{16, 16});
    CHECK(scaledDown(*smaller, 0.5)->size == smaller->size);
}

TEST_CASE("what is no picture is an error") {
    CHECK_FALSE(cropOf(Picture(), {0, 0, 1, 1}));
    CHECK_FALSE(cropOf(plainPicture({1, 40}, 0, 0, 0), {0, 0, 1, 1}));
    Picture lumaOnly = plainPicture({40, 40}, 0, 0, 0);
    lumaOnly.planes[1].data = nullptr;
    CHECK_FALSE(cropOf(lumaOnly, {0, 0, 1, 1}));
}
