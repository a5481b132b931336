#include "vision/yunet_decode.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>

using namespace edgecam;
using namespace edgecam::vision;

namespace {

/// The outputs of one stride over an input, all zeros until a test writes a cell.
struct Tensors {
    Tensors(int strideInPixels, Size input)
        : stride(strideInPixels),
          columns(input.width / strideInPixels),
          cells(static_cast<std::size_t>(columns * (input.height / strideInPixels))),
          faceness(cells),
          objectness(cells),
          box(cells * 4),
          landmarks(cells * 10) {}

    [[nodiscard]] std::size_t cell(int column, int row) const {
        return static_cast<std::size_t>(row * columns + column);
    }
    void put(std::size_t at, float score, std::array<float, 4> values) {
        faceness[at] = objectness[at] = score;
        std::copy(values.begin(), values.end(), box.begin() + static_cast<std::ptrdiff_t>(at * 4));
    }
    [[nodiscard]] YunetScale scale() const { return {stride, faceness, objectness, box, landmarks}; }

    int stride;
    int columns;
    std::size_t cells;
    std::vector<float> faceness;
    std::vector<float> objectness;
    std::vector<float> box;
    std::vector<float> landmarks;
};

constexpr Size kPadded{64, 64};
constexpr YunetInput kInput{{64, 40}, kPadded};  // the lower 24 rows are padding

std::vector<Face> decoded(const Tensors& tensors, float minScore = 0.5F) {
    const std::array scales{tensors.scale()};
    const auto faces = decodeYunet(scales, kInput, minScore);
    REQUIRE(faces);
    return *faces;
}

}  // namespace

TEST_CASE(
    "a cell's numbers become a box around its centre, in fractions of the picture without its padding") {
    Tensors tensors(8, kPadded);
    // Column 3, row 2: centre (3.5, 2.25) strides = (28, 18) px, size 2 x 1 strides = 16 x 8 px.
    tensors.put(tensors.cell(3, 2), 0.9F, {0.5F, 0.25F, std::log(2.0F), 0});
    const auto faces = decoded(tensors);
    REQUIRE(faces.size() == 1);
    CHECK(faces[0].confidence == doctest::Approx(0.9));
    const RectPx box = inPixels(faces[0].box, kInput.picture);
    CHECK(box.x == doctest::Approx(20));
    CHECK(box.y == doctest::Approx(14));
    CHECK(box.width == doctest::Approx(16));
    CHECK(box.height == doctest::Approx(8));
}

TEST_CASE("landmarks are counted from the cell's corner and keep their order") {
    Tensors tensors(16, kPadded);
    const std::size_t at = tensors.cell(1, 1);
    tensors.put(at, 0.8F, {});
    for (std::size_t k = 0; k < 5; ++k) {
        tensors.landmarks[at * 10 + 2 * k] = 0.125F * static_cast<float>(k);  // 2 px further each
        tensors.landmarks[at * 10 + 2 * k + 1] = -0.25F;
    }
    const auto faces = decoded(tensors);
    REQUIRE(faces.size() == 1);
    REQUIRE(faces[0].landmarks);
    for (std::size_t k = 0; k < 5; ++k) {
        CHECK((*faces[0].landmarks)[k].x * 64 == doctest::Approx(16 + 2 * static_cast<double>(k)));
        CHECK((*faces[0].landmarks)[k].y * 40 == doctest::Approx(12));
    }
}

TEST_CASE("the score is the geometric mean of both outputs, each held between 0 and 1") {
    Tensors tensors(32, kPadded);
    tensors.put(0, 0, {});
    tensors.faceness[0] = 0.5F;
    tensors.objectness[0] = 0.72F;
    tensors.faceness[1] = 7;  // counts as 1
    tensors.objectness[1] = 0.81F;
    tensors.faceness[2] = -1;  // counts as 0; so does what is not a number
    tensors.objectness[2] = -1;
    tensors.faceness[3] = std::numeric_limits<float>::quiet_NaN();
    tensors.objectness[3] = 1;
    const auto faces = decoded(tensors, 0.05F);
    REQUIRE(faces.size() == 2);
    CHECK(faces[0].confidence == doctest::Approx(0.6));
    CHECK(faces[1].confidence == doctest::Approx(0.9));
}

TEST_CASE("what is below the threshold is left out, what is on it is not") {
    Tensors tensors(8, kPadded);
    tensors.put(0, 0.5F, {});
    tensors.put(1, 0.49F, {});
    CHECK(decoded(tensors, 0.5F).size() == 1);
}

TEST_CASE("numbers that are not finite give no face, huge ones a finite box") {
    Tensors tensors(8, kPadded);
    tensors.put(0, 0.9F, {std::numeric_limits<float>::infinity(), 0, 0, 0});
    tensors.put(1, 0.9F, {0, 0, std::numeric_limits<float>::quiet_NaN(), 0});
    tensors.put(2, 0.9F, {});
    tensors.landmarks[2 * 10 + 9] = -std::numeric_limits<float>::infinity();
    tensors.put(3, 0.9F, {0, 0, 1000, 1000});
    const auto faces = decoded(tensors);
    REQUIRE(faces.size() == 1);
    CHECK(std::isfinite(faces[0].box.width));
    CHECK(std::isfinite(faces[0].box.x));
}

TEST_CASE("outputs that don't fit the input are an error, not a read past the end") {
    const Tensors tensors(8, {64, 32});
    const std::array scales{tensors.scale()};
    const auto faces = decodeYunet(scales, kInput, 0.5F);
    REQUIRE_FALSE(faces);
    CHECK(faces.error().message.find("stride 8") != std::string::npos);

    const Tensors whole(8, kPadded);
    YunetScale shortBox = whole.scale();
    shortBox.box = {};
    CHECK_FALSE(decodeYunet({&shortBox, 1}, kInput, 0.5F));
}

TEST_CASE("faces of all three scales are gathered") {
    std::vector<Tensors> tensors;
    for (const int stride : {8, 16, 32}) tensors.emplace_back(stride, kPadded).put(0, 0.9F, {});
    const std::array scales{tensors[0].scale(), tensors[1].scale(), tensors[2].scale()};
    const auto faces = decodeYunet(scales, kInput, 0.5F);
    REQUIRE(faces);
    REQUIRE(faces->size() == 3);
    CHECK((*faces)[2].box.width == doctest::Approx(0.5));
}
