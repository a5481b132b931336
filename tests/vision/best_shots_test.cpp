#include "vision/best_shots.hpp"

#include <doctest/doctest.h>

#include "tests/vision/test_picture.hpp"

using namespace edgecam;
using namespace edgecam::vision;
using edgecam::test::plainPicture;

namespace {

constexpr RectNorm kBox{0.4F, 0.4F, 0.2F, 0.2F};

struct Stage {
    BestShots shots{4096};

    /// A picture of that brightness in which the tracks are seen, each so well.
    void see(std::uint8_t luma, std::vector<std::pair<std::uint64_t, float>> qualities) {
        std::vector<Sighting> seen;
        for (const auto& [track, quality] : qualities) seen.push_back({track, {kBox, 0.9F, {}}, quality});
        shots.see(plainPicture({200, 200}, luma, 128, 128), seen);
    }
    std::optional<Snapshot> told(FacePhase phase, std::uint64_t track = 1) {
        std::vector<FaceEvent> events(1);
        events[0].phase = phase;
        events[0].trackId = track;
        shots.addTo(events);
        return events[0].snapshot;
    }
};

}  // namespace

TEST_CASE("enter has a snapshot, update one that is clearly better, leave the best there was") {
    Stage stage;
    stage.see(50, {{1, 0.3F}});
    const auto enter = stage.told(FacePhase::enter);
    REQUIRE(enter);
    CHECK(enter->size == Size{60, 60});

    stage.see(100, {{1, 0.35F}});
    CHECK_FALSE(stage.told(FacePhase::update));
    stage.see(150, {{1, 0.45F}});
    const auto update = stage.told(FacePhase::update);
    REQUIRE(update);
    CHECK(*update->jpeg != *enter->jpeg);
    CHECK_FALSE(stage.told(FacePhase::update));

    stage.see(200, {{1, 0.1F}});
    const auto leave = stage.told(FacePhase::leave);
    REQUIRE(leave);
    CHECK(leave->jpeg == update->jpeg);  // made once
    CHECK_FALSE(stage.told(FacePhase::leave));
}

TEST_CASE("each track has its own, and what nobody wants is not made") {
    Stage stage;
    stage.see(50, {{1, 0.3F}, {2, 0.3F}});
    stage.see(90, {{2, 0.6F}});
    const auto first = stage.told(FacePhase::leave, 1);
    const auto second = stage.told(FacePhase::leave, 2);
    REQUIRE(first);
    REQUIRE(second);
    CHECK(*first->jpeg != *second->jpeg);
    CHECK_FALSE(stage.told(FacePhase::enter, 3));

    stage.shots.limit(0);
    stage.see(50, {{4, 0.3F}});
    CHECK_FALSE(stage.told(FacePhase::enter, 4));
}

TEST_CASE("a face that cannot be cut out or does not fit is told without") {
    Stage stage;
    stage.shots.see(Picture(), {{1, {kBox, 0.9F, {}}, 0.5F}});
    CHECK_FALSE(stage.told(FacePhase::enter));
    stage.shots.limit(10);
    stage.see(50, {{2, 0.5F}});
    CHECK_FALSE(stage.told(FacePhase::enter, 2));
    stage.shots.limit(4096);
    CHECK(stage.told(FacePhase::leave, 2));
}
