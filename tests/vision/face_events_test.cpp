#include "vision/face_events.hpp"

#include <doctest/doctest.h>

#include <set>

using namespace edgecam;
using namespace edgecam::vision;
using namespace std::chrono_literals;

namespace {

constexpr Utc kStart{Microseconds(1'700'000'000'000'000)};

FrameRef frameAt(Microseconds offset, std::uint32_t sequence) {
    return {sequence, kStart + offset, {640, 360}};
}
Sighting sighted(std::uint64_t id, float x = 0.1F, float quality = 0.5F) {
    return {id, {{x, 0.1F, 0.1F, 0.2F}, 0.9F, {}}, quality};
}

/// The left and the right half of the picture.
SceneRules halves() {
    return {.zones = {{"left", {{0, 0}, {0.5F, 0}, {0.5F, 1}, {0, 1}}},
                      {"right", {{0.5F, 0}, {1, 0}, {1, 1}, {0.5F, 1}}}},
            .ignored = {},
            .minFacePx = 0};
}

using Names = std::vector<std::string>;

}  // namespace

TEST_CASE(
    "a face enters once, is silent while nothing changes, and leaves with the last picture it was seen in") {
    FaceEvents events("cam_1");
    std::vector<FaceEvent> told;
    for (int i = 0; i <= 25; ++i) {  // ten pictures a second; unseen from the 24th on
        const bool there = i <= 23;
        const auto now = events.tell(
            frameAt(i * 100ms, static_cast<std::uint32_t>(100 + i)),
            there ? std::vector{sighted(7, 0.01F * static_cast<float>(i))} : std::vector<Sighting>{},
            i == 25 ? std::vector<std::uint64_t>{7} : std::vector<std::uint64_t>{});
        told.insert(told.end(), now.begin(), now.end());
    }
    REQUIRE(told.size() == 2);
    CHECK(told[0].phase == FacePhase::enter);
    CHECK(told[1].phase == FacePhase::leave);
    CHECK(told[0].frame.sequence == 100);
    CHECK(told[1].frame.sequence == 123);
    for (const FaceEvent& event : told) {
        CHECK(event.cameraId == "cam_1");
        CHECK(event.trackId == 7);
        CHECK(event.firstSeen == kStart);
        CHECK(event.timestamp == event.frame.captureTime);
        CHECK(event.lastSeen == event.frame.captureTime);
        CHECK(event.face.box.x == doctest::Approx(0.01 * (event.frame.sequence - 100)));
        CHECK(event.frame.size == Size{640, 360});
    }
    CHECK(told[0].path.empty());
    CHECK_FALSE(told[0].best);
    REQUIRE(told[1].path.size() <= FaceEvent::kMostPathPoints);
    CHECK(told[1].path.front() == PathPoint{{0.05F, 0.2F}, 0us});
    CHECK(told[1].path.back().since == 2300ms);
    CHECK(told[1].path.back().centre.x == doctest::Approx(0.28));
}

TEST_CASE("a clearly better view is told, no more than once a second, and the best one at the end") {
    FaceEvents events("cam_1");
    events.tell(frameAt(0ms, 1), {sighted(1, 0.1F, 0.3F)}, {});
    CHECK(events.tell(frameAt(500ms, 2), {sighted(1, 0.1F, 0.8F)}, {}).empty());  // too soon
    const auto told = events.tell(frameAt(1000ms, 3), {sighted(1, 0.2F, 0.4F)}, {});
    REQUIRE(told.size() == 1);
    CHECK(told[0].phase == FacePhase::update);
    CHECK(told[0].quality == 0.4F);  // of this picture; the best was before it
    REQUIRE(told[0].best);
    CHECK(told[0].best->quality == 0.8F);
    CHECK(told[0].best->frame.sequence == 2);
    CHECK(events.tell(frameAt(2000ms, 4), {sighted(1, 0.2F, 0.85F)}, {}).empty());  // hardly better
    const auto gone = events.leave({1});
    REQUIRE(gone.size() == 1);
    REQUIRE(gone[0].best);
    CHECK(gone[0].best->frame.sequence == 4);
    CHECK(gone[0].best->box.x == 0.2F);
}

TEST_CASE("a face comes into zones and leaves them, when two pictures agree") {
    FaceEvents events("cam_1", halves());
    const auto at = [&](Microseconds time, float x) {
        return events.tell(frameAt(time, 1), {sighted(1, x)}, {});
    };
    const auto entered = at(0ms, 0.1F);
    REQUIRE(entered.size() == 1);
    CHECK(entered[0].zones == Names{"left"});
    CHECK(entered[0].zonesEntered == Names{"left"});
    CHECK(entered[0].zonesLeft.empty());
    CHECK(at(1000ms, 0.6F).empty());  // once: it trembles
    CHECK(at(1100ms, 0.1F).empty());
    CHECK(at(1200ms, 0.6F).empty());
    const auto moved = at(1300ms, 0.6F);
    REQUIRE(moved.size() == 1);
    CHECK(moved[0].phase == FacePhase::update);
    CHECK(moved[0].zones == Names{"right"});
    CHECK(moved[0].zonesEntered == Names{"right"});
    CHECK(moved[0].zonesLeft == Names{"left"});
    CHECK(at(2500ms, 0.6F).empty());
    const auto gone = events.leave({1});
    REQUIRE(gone.size() == 1);
    CHECK(gone[0].zones == Names{"right"});
    CHECK(gone[0].zonesEntered.empty());
    CHECK(gone[0].zonesLeft == Names{"right"});
}

TEST_CASE("who passes through a zone within a second was there") {
    FaceEvents events("cam_1", halves());
    std::vector<FaceEvent> told;
    for (const auto& [ms, x] :
         {std::pair{0, 0.1F}, {100, 0.6F}, {200, 0.6F}, {300, 0.1F}, {400, 0.1F}, {1000, 0.1F}}) {
        const auto now = events.tell(frameAt(ms * 1ms, 1), {sighted(1, x)}, {});
        told.insert(told.end(), now.begin(), now.end());
    }
    REQUIRE(told.size() == 2);
    CHECK(told[1].zones == Names{"left"});
    CHECK(told[1].zonesEntered == Names{"right", "left"});
    CHECK(told[1].zonesLeft == Names{"left", "right"});
}

TEST_CASE("a zone that is taken away is left") {
    FaceEvents events("cam_1", halves());
    events.tell(frameAt(0ms, 1), {sighted(1)}, {});
    events.retune({});
    events.tell(frameAt(1000ms, 2), {sighted(1)}, {});
    const auto told = events.tell(frameAt(1100ms, 3), {sighted(1)}, {});
    REQUIRE(told.size() == 1);
    CHECK(told[0].zonesLeft == Names{"left"});
}

TEST_CASE("every event has an id of its own, in the form of a UUID") {
    FaceEvents events("cam_1");
    std::set<std::string> ids;
    for (const auto& event : events.tell(frameAt(0s, 1), {sighted(1), sighted(2)}, {})) {
        ids.insert(event.eventId);
        CHECK(event.eventId.size() == 36);
    }
    for (const auto& event : events.leave({1, 2})) ids.insert(event.eventId);
    CHECK(ids.size() == 4);
}

TEST_CASE("each face has its own second") {
    FaceEvents events("cam_1");
    events.tell(frameAt(0ms, 1), {sighted(1)}, {});
    events.tell(frameAt(500ms, 2), {sighted(1, 0.1F, 0.9F), sighted(2)}, {});
    const auto told = events.tell(frameAt(1000ms, 3), {sighted(1), sighted(2, 0.1F, 0.9F)}, {});
    REQUIRE(told.size() == 1);
    CHECK(told[0].trackId == 1);
    CHECK(told[0].phase == FacePhase::update);
}

TEST_CASE("in one picture the leaves come before the enters") {
    FaceEvents events("cam_1");
    events.tell(frameAt(0ms, 1), {sighted(1)}, {});
    const auto told = events.tell(frameAt(100ms, 2), {sighted(2)}, {1});
    REQUIRE(told.size() == 2);
    CHECK(told[0].phase == FacePhase::leave);
    CHECK(told[1].phase == FacePhase::enter);
}

TEST_CASE("a clock set back does not silence a face") {
    FaceEvents events("cam_1");
    events.tell(frameAt(0s, 1), {sighted(1)}, {});
    CHECK(events.tell(frameAt(-3600s, 2), {sighted(1, 0.1F, 0.7F)}, {}).size() == 1);
    CHECK(events.tell(frameAt(-3600s + 100ms, 3), {sighted(1, 0.1F, 0.9F)}, {}).empty());
    const auto gone = events.leave({1});
    REQUIRE(gone.size() == 1);
    for (const PathPoint& point : gone[0].path) CHECK(point.since == 0us);
}

TEST_CASE("nobody leaves twice, and nobody who was not there") {
    FaceEvents events("cam_1");
    events.tell(frameAt(0s, 1), {sighted(1)}, {});
    CHECK(events.leave({1, 1, 5}).size() == 1);
    CHECK(events.leave({1}).empty());
}
