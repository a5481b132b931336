#include "vision/face_path.hpp"

#include <doctest/doctest.h>

using namespace edgecam;
using namespace edgecam::vision;
using namespace std::chrono_literals;

namespace {
PathPoint pointAt(Microseconds since) {
    const float x = std::chrono::duration<float>(since).count();
    return {{x, 0.5F}, since};
}
}  // namespace

TEST_CASE("a short path is kept as it is") {
    FacePath path;
    CHECK(path.points().empty());
    for (int i = 0; i < 5; ++i) path.add(pointAt(i * 100ms));
    const auto points = path.points();
    REQUIRE(points.size() == 5);
    for (int i = 0; i < 5; ++i) CHECK(points[static_cast<std::size_t>(i)].since == i * 100ms);
}

TEST_CASE("however long, it has few points, evenly over time, with the first and the last") {
    for (const int pictures : {17, 100, 1000, 36'000}) {
        FacePath path;
        for (int i = 0; i < pictures; ++i) path.add(pointAt(i * 100ms));
        const auto points = path.points();
        CAPTURE(pictures);
        CHECK(points.size() <= FaceEvent::kMostPathPoints);
        CHECK(points.size() >= FaceEvent::kMostPathPoints / 2);
        CHECK(points.front().since == 0ms);
        const Microseconds end = (pictures - 1) * 100ms;
        CHECK(points.back().since == end);
        for (std::size_t i = 1; i < points.size(); ++i) {
            CHECK(points[i].since > points[i - 1].since);
            CHECK(points[i].since - points[i - 1].since <= end / 7);
        }
    }
}

TEST_CASE("a clock that is set back does not turn the path round") {
    FacePath path;
    path.add(pointAt(0ms));
    path.add(pointAt(500ms));
    path.add(pointAt(100ms));
    CHECK(path.points().back().since == 500ms);
    CHECK(path.points().back().centre.x == doctest::Approx(0.1));
}

TEST_CASE("a clock that stands still makes no more points") {
    FacePath path;
    for (int i = 0; i < 100; ++i) path.add({{0.01F * static_cast<float>(i), 0}, 0ms});
    CHECK(path.points().size() <= FaceEvent::kMostPathPoints);
}
