#include "vision/scene_rules.hpp"

#include <doctest/doctest.h>

using namespace edgecam;
using namespace edgecam::vision;

namespace {

const Polygon kDiamond{{0.5F, 0.2F}, {0.8F, 0.5F}, {0.5F, 0.8F}, {0.2F, 0.5F}};
/// A square whose upper right quarter is missing.
const Polygon kCorner{{0, 0}, {0.5F, 0}, {0.5F, 0.5F}, {1, 0.5F}, {1, 1}, {0, 1}};

Face faceAt(float x, float y, float width = 0.1F) {
    return {{x - width / 2, y - 0.05F, width, 0.1F}, 0.9F, {}};
}

}  // namespace

TEST_CASE("a polygon contains what is inside it, whichever way round its corners go") {
    struct Case {
        const Polygon& polygon;
        PointNorm point;
        bool inside;
    };
    for (const Case& each : {
             Case{kDiamond, {0.5F, 0.5F}, true},
             Case{kDiamond, {0.3F, 0.45F}, true},
             Case{kDiamond, {0.3F, 0.35F}, false},  // in its box, not in it
             Case{kDiamond, {0.9F, 0.5F}, false},   // at the height of a corner
             Case{kDiamond, {0.1F, 0.5F}, false},
             Case{kCorner, {0.25F, 0.25F}, true},
             Case{kCorner, {0.75F, 0.25F}, false},
             Case{kCorner, {0.75F, 0.75F}, true},
         }) {
        CAPTURE(each.point.x);
        CAPTURE(each.point.y);
        CHECK(contains(each.polygon, each.point) == each.inside);
        const Polygon backwards(each.polygon.rbegin(), each.polygon.rend());
        CHECK(contains(backwards, each.point) == each.inside);
    }
}

TEST_CASE("of two zones with a common edge a face on it is in one, and none is in a line") {
    const SceneRules rules{.zones = {{"left", {{0, 0}, {0.5F, 0}, {0.5F, 1}, {0, 1}}},
                                     {"right", {{0.5F, 0}, {1, 0}, {1, 1}, {0.5F, 1}}},
                                     {"line", {{0, 0.5F}, {1, 0.5F}, {0.5F, 0.5F}}}},
                           .ignored = {},
                           .minFacePx = 0};
    for (const float x : {0.2F, 0.5F, 0.7F}) CHECK(rules.zonesOf(faceAt(x, 0.5F).box).size() == 1);
    CHECK(rules.zonesOf(faceAt(0.2F, 0.3F).box) == std::vector<std::string>{"left"});
}

TEST_CASE("what lies in an ignored part, or is too small for the picture, does not count") {
    const SceneRules rules{.zones = {}, .ignored = {kDiamond}, .minFacePx = 64};
    const std::vector<Face> faces{faceAt(0.5F, 0.5F), faceAt(0.1F, 0.1F), faceAt(0.9F, 0.9F, 0.04F),
                                  faceAt(0.2F, 0.9F, 0.05F)};
    const auto counted = rules.counted(faces, {1280, 720});
    REQUIRE(counted.size() == 2);
    CHECK(counted[0].box == faces[1].box);
    CHECK(counted[1].box == faces[3].box);  // 64 of 1280 exactly
    CHECK(SceneRules().counted(faces, {1280, 720}).size() == 4);
}
