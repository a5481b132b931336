#include "vision/letterbox.hpp"

#include <doctest/doctest.h>

#include "tests/vision/test_picture.hpp"
#include "vision/distinct_faces.hpp"

using namespace edgecam;
using namespace edgecam::vision;

namespace {
// BT.601, limited range: what a decoded camera picture is.
constexpr std::uint8_t kRedY = 81;
constexpr std::uint8_t kRedU = 90;
constexpr std::uint8_t kRedV = 240;

bool isRed(const cv::Mat& bgr, int x, int y) {
    const auto& pixel = bgr.at<cv::Vec3b>(y, x);
    return pixel[0] < 5 && pixel[1] < 5 && pixel[2] > 250;
}
bool isBlack(const cv::Mat& bgr, int x, int y) {
    return bgr.at<cv::Vec3b>(y, x) == cv::Vec3b(0, 0, 0);
}
}  // namespace

TEST_CASE("a picture is fitted with its aspect kept and even sides") {
    CHECK(fittedSize({1280, 720}, {640, 360}) == Size{640, 360});
    CHECK(fittedSize({640, 480}, {640, 360}) == Size{480, 360});
    CHECK(fittedSize({360, 640}, {640, 360}) == Size{202, 360});
    CHECK(fittedSize({320, 180}, {640, 360}) == Size{640, 360});
    CHECK(fittedSize({1279, 719}, {640, 360}) == Size{640, 360});
    CHECK(fittedSize({1, 1}, {640, 360}) == Size{360, 360});
    CHECK(fittedSize({16384, 1}, {640, 360}) == Size{640, 2});
    CHECK(fittedSize({1, 16384}, {33, 33}) == Size{2, 32});
}

TEST_CASE("the padding is black, right and below, up to a multiple of 32") {
    Letterbox letterbox({640, 360});
    const cv::Mat& bgr = letterbox.fill(test::plainPicture({640, 480}, kRedY, kRedU, kRedV));
    CHECK(letterbox.scaled() == Size{480, 360});
    CHECK(bgr.cols == 480);
    CHECK(bgr.rows == 384);
    CHECK(isRed(bgr, 0, 0));
    CHECK(isRed(bgr, 479, 359));
    CHECK(isBlack(bgr, 0, 360));
    CHECK(isBlack(bgr, 479, 383));
}

TEST_CASE("a flat picture still gives two rows of the network's coarsest grid") {
    Letterbox letterbox({640, 360});
    CHECK(letterbox.fill(test::plainPicture({1000, 5}, kRedY, kRedU, kRedV)).rows == 64);
}

TEST_CASE("what lies between the rows of a picture is not looked at, whatever its size") {
    for (const Size size : {Size{1280, 720}, Size{641, 361}, Size{2, 2}, Size{1, 1}, Size{3, 1000}}) {
        CAPTURE(size.width);
        Letterbox letterbox({320, 180});
        const cv::Mat& bgr = letterbox.fill(test::plainPicture(size, kRedY, kRedU, kRedV, 37));
        const Size scaled = letterbox.scaled();
        int red = 0;
        for (int y = 0; y < scaled.height; ++y) {
            for (int x = 0; x < scaled.width; ++x) red += isRed(bgr, x, y) ? 1 : 0;
        }
        CHECK(red == scaled.width * scaled.height);
    }
}

TEST_CASE("a picture of another size leaves nothing of the last one") {
    Letterbox letterbox({64, 64});
    letterbox.fill(test::plainPicture({64, 64}, kRedY, kRedU, kRedV));
    const cv::Mat& bgr = letterbox.fill(test::plainPicture({64, 20}, kRedY, kRedU, kRedV));
    CHECK(bgr.rows == 64);
    CHECK(isRed(bgr, 63, 19));
    CHECK(isBlack(bgr, 63, 20));
}

TEST_CASE("a picture that can't be looked at is refused") {
    Picture good = test::plainPicture({64, 64}, 0, 128, 128);
    CHECK(checkPicture(good));
    CHECK_FALSE(checkPicture({}));

    Picture narrow = good;
    narrow.planes[2].stride = 31;
    CHECK_FALSE(checkPicture(narrow));
    Picture hollow = good;
    hollow.planes[1].data = nullptr;
    CHECK_FALSE(checkPicture(hollow));
    Picture endless = good;
    endless.size = {20000, 64};
    CHECK_FALSE(checkPicture(endless));
    Picture negative = good;
    negative.size = {-64, 64};
    CHECK_FALSE(checkPicture(negative));
}

TEST_CASE("of overlapping candidates the best is kept, clipped; what lies outside is left out") {
    const Face weaker{{0.11F, 0.1F, 0.2F, 0.2F}, 0.7F, {}};
    const Face better{{0.1F, 0.1F, 0.2F, 0.2F}, 0.8F, {}};
    const Face atTheRim{{-0.1F, 0.5F, 0.2F, 0.2F}, 0.9F, Landmarks{PointNorm{-0.05F, 0.6F}}};
    const Face inThePadding{{0.1F, 1.01F, 0.2F, 0.2F}, 0.95F, {}};
    const auto faces = distinctFaces({weaker, better, atTheRim, inThePadding});
    REQUIRE(faces.size() == 2);
    CHECK(faces[0].confidence == 0.9F);
    CHECK(faces[0].box.x == 0);
    CHECK(faces[0].box.width == doctest::Approx(0.1));
    CHECK((*faces[0].landmarks)[0] == PointNorm{0, 0.6F});
    CHECK(faces[1].confidence == 0.8F);
    CHECK(distinctFaces({}).empty());
}
