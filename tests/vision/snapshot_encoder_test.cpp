#include "vision/snapshot_encoder.hpp"

#include <doctest/doctest.h>
#include <turbojpeg.h>

#include <cmath>
#include <random>

#include "tests/vision/test_picture.hpp"

using namespace edgecam;
using namespace edgecam::vision;

namespace {

FaceCrop faceCrop() {
    const auto picture = edgecam::test::pictureOf(edgecam::test::roomWithFace({640, 360}, {320, 180}, 120));
    return *cropOf(picture, normalised(edgecam::test::drawnFaceBox({320, 180}, 120), {640, 360}));
}

FaceCrop noise(Size size) {
    FaceCrop crop;
    crop.size = size;
    std::mt19937 random(7);
    for (std::size_t i = 0; i < 3; ++i) {
        const int pixels = size.width * size.height / (i == 0 ? 1 : 4);
        for (int k = 0; k < pixels; ++k) crop.planes[i].push_back(static_cast<std::uint8_t>(random()));
    }
    return crop;
}

/// Of luma, in decibels.
double peakSignalToNoise(const FaceCrop& crop, const Snapshot& snapshot) {
    void* reader = tjInitDecompress();
    std::vector<std::uint8_t> luma(crop.planes[0].size());
    const int failed =
        tjDecompress2(reader, snapshot.jpeg->data(), static_cast<unsigned long>(snapshot.jpeg->size()),
                      luma.data(), crop.size.width, 0, crop.size.height, TJPF_GRAY, 0);
    tjDestroy(reader);
    REQUIRE(failed == 0);
    double sum = 0;
    for (std::size_t i = 0; i < luma.size(); ++i) sum += std::pow(luma[i] - crop.planes[0][i], 2);
    return 10 * std::log10(255 * 255 / (sum / static_cast<double>(luma.size())));
}

}  // namespace

TEST_CASE("a face is a JPEG of its own size that looks like it") {
    SnapshotEncoder encoder;
    const FaceCrop crop = faceCrop();
    const auto snapshot = encoder.encode(crop, 8192);
    REQUIRE(snapshot);
    CHECK(snapshot->size == crop.size);
    CHECK(snapshot->bytes == snapshot->jpeg->size());
    CHECK(snapshot->bytes <= 8192);
    CHECK(peakSignalToNoise(crop, *snapshot) > 35);
}

TEST_CASE("less room is less quality, then fewer pixels, and never more than there is") {
    SnapshotEncoder encoder;
    const FaceCrop crop = noise({256, 192});
    std::size_t before = Snapshot::kMostBytes;
    int smaller = 0;
    for (const std::size_t most : {65536U, 32768U, 16384U, 8192U, 4096U, 2048U, 1024U}) {
        CAPTURE(most);
        const auto snapshot = encoder.encode(crop, most);
        REQUIRE(snapshot);
        CHECK(snapshot->bytes <= most);
        CHECK(snapshot->bytes <= before);
        before = snapshot->bytes;
        if (snapshot->size != crop.size) ++smaller;
    }
    CHECK(smaller >= 3);
    const auto impossible = encoder.encode(crop, 100);
    REQUIRE_FALSE(impossible);
    CHECK(impossible.error().message.find("100 bytes") != std::string::npos);
    CHECK(encoder.encode(crop, 65536));  // it goes on
}
