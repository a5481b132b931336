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
TrackedFace tracked(std::uint64_t id, float x = 0.1F) {
    return {id, {{x, 0.1F, 0.1F, 0.2F}, 0.9F, {}}};
}

}  // namespace

TEST_CASE("a face enters once, is updated once a second, and leaves with the last picture it was seen in") {
    FaceEvents events("cam_1");
    std::vector<FaceEvent> told;
    for (int i = 0; i <= 25; ++i) {  // ten pictures a second; unseen from the 24th on
        const bool there = i <= 23;
        const auto now = events.tell(
            frameAt(i * 100ms, static_cast<std::uint32_t>(100 + i)),
            there ? std::vector{tracked(7, 0.01F * static_cast<float>(i))} : std::vector<TrackedFace>{},
            i == 25 ? std::vector<std::uint64_t>{7} : std::vector<std::uint64_t>{});
        told.insert(told.end(), now.begin(), now.end());
    }
    REQUIRE(told.size() == 4);
    CHECK(told[0].phase == FacePhase::enter);
    CHECK(told[1].phase == FacePhase::update);
    CHECK(told[2].phase == FacePhase::update);
    CHECK(told[3].phase == FacePhase::leave);
    CHECK(told[0].frame.sequence == 100);
    CHECK(told[1].frame.sequence == 110);
    CHECK(told[2].frame.sequence == 120);
    CHECK(told[3].frame.sequence == 123);
    for (const FaceEvent& event : told) {
        CHECK(event.cameraId == "cam_1");
        CHECK(event.trackId == 7);
        CHECK(event.firstSeen == kStart);
        CHECK(event.timestamp == event.frame.captureTime);
        CHECK(event.lastSeen == event.frame.captureTime);
        CHECK(event.face.box.x == doctest::Approx(0.01 * (event.frame.sequence - 100)));
        CHECK(event.frame.size == Size{640, 360});
    }
}

TEST_CASE("every event has an id of its own, in the form of a UUID") {
    FaceEvents events("cam_1");
    std::set<std::string> ids;
    for (const auto& event : events.tell(frameAt(0s, 1), {tracked(1), tracked(2)}, {})) {
        ids.insert(event.eventId);
        CHECK(event.eventId.size() == 36);
    }
    for (const auto& event : events.leave({1, 2})) ids.insert(event.eventId);
    CHECK(ids.size() == 4);
}

TEST_CASE("each face has its own second") {
    FaceEvents events("cam_1");
    events.tell(frameAt(0ms, 1), {tracked(1)}, {});
    const auto second = events.tell(frameAt(500ms, 2), {tracked(1), tracked(2)}, {});
    REQUIRE(second.size() == 1);
    CHECK(second[0].trackId == 2);
    const auto third = events.tell(frameAt(1000ms, 3), {tracked(1), tracked(2)}, {});
    REQUIRE(third.size() == 1);
    CHECK(third[0].trackId == 1);
    CHECK(third[0].phase == FacePhase::update);
}

TEST_CASE("in one picture the leaves come before the enters") {
    FaceEvents events("cam_1");
    events.tell(frameAt(0ms, 1), {tracked(1)}, {});
    const auto told = events.tell(frameAt(100ms, 2), {tracked(2)}, {1});
    REQUIRE(told.size() == 2);
    CHECK(told[0].phase == FacePhase::leave);
    CHECK(told[1].phase == FacePhase::enter);
}

TEST_CASE("a clock set back does not silence a face") {
    FaceEvents events("cam_1");
    events.tell(frameAt(0s, 1), {tracked(1)}, {});
    CHECK(events.tell(frameAt(-3600s, 2), {tracked(1)}, {}).size() == 1);
    CHECK(events.tell(frameAt(-3600s + 100ms, 3), {tracked(1)}, {}).empty());
}

TEST_CASE("nobody leaves twice, and nobody who was not there") {
    FaceEvents events("cam_1");
    events.tell(frameAt(0s, 1), {tracked(1)}, {});
    CHECK(events.leave({1, 1, 5}).size() == 1);
    CHECK(events.leave({1}).empty());
}
