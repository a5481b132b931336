#include "agent/face_analytics.hpp"

#include <doctest/doctest.h>

using namespace std::chrono_literals;
using namespace edgecam;
using agent::FaceAnalytics;
using agent::LastMinute;

namespace {

constexpr Utc kStart{Microseconds(1'700'000'000'000'000)};
using Names = std::vector<std::string>;

FaceEvent eventOf(std::uint64_t track, FacePhase phase, Microseconds at, Names entered = {},
                  Names left = {}) {
    FaceEvent event;
    event.cameraId = "door";
    event.trackId = track;
    event.phase = phase;
    event.firstSeen = kStart;
    event.timestamp = event.lastSeen = kStart + at;
    event.zonesEntered = std::move(entered);
    event.zonesLeft = std::move(left);
    return event;
}

uplink::CameraFigures figuresOf(FaceAnalytics& analytics, const Names& zones, Monotonic now = Monotonic(1s)) {
    uplink::CameraFigures figures;
    analytics.addTo(figures, "door", zones, now);
    return figures;
}

}  // namespace

TEST_CASE("who came in the last minute is counted, to the second") {
    LastMinute minute;
    CHECK(minute.count(Monotonic(0s)) == 0);
    minute.add(Monotonic(0s));
    minute.add(Monotonic(100ms));
    minute.add(Monotonic(30s));
    CHECK(minute.count(Monotonic(59s)) == 3);
    CHECK(minute.count(Monotonic(60s)) == 1);
    minute.add(Monotonic(60s));  // in the place of the first
    CHECK(minute.count(Monotonic(60s)) == 2);
    CHECK(minute.count(Monotonic(1000s)) == 0);
}

TEST_CASE("faces that come, stay and leave are counted for the view and for its zones") {
    FaceAnalytics analytics;
    const Names zones{"gate", "till"};
    analytics.count(eventOf(1, FacePhase::enter, 0s, {"gate"}), Monotonic(1s));
    analytics.count(eventOf(2, FacePhase::enter, 0s), Monotonic(1s));
    analytics.count(eventOf(1, FacePhase::update, 4s, {"till"}, {"gate"}), Monotonic(5s));
    auto figures = figuresOf(analytics, zones, Monotonic(5s));
    CHECK(figures.faces.present == 2);
    CHECK(figures.faces.lastMinute == 2);
    CHECK(figures.zones.at("gate").present == 0);
    CHECK(figures.zones.at("gate").left == 1);
    CHECK(figures.zones.at("gate").dwell.sum == 4s);
    CHECK(figures.zones.at("till").present == 1);
    CHECK(figures.zones.at("till").lastMinute == 1);

    analytics.count(eventOf(1, FacePhase::leave, 10s, {}, {"till"}), Monotonic(100s));
    figures = figuresOf(analytics, zones, Monotonic(100s));
    CHECK(figures.faces.present == 1);
    CHECK(figures.faces.lastMinute == 0);
    CHECK(figures.faces.entered == 2);
    CHECK(figures.faces.left == 1);
    CHECK(figures.faces.dwell.count() == 1);
    CHECK(figures.faces.dwell.sum == 10s);
    CHECK(figures.zones.at("till").dwell.sum == 6s);
    CHECK(figures.zones.at("till").present == 0);
}

TEST_CASE("a zone that is left and come into again within one event, or passed through, is both") {
    FaceAnalytics analytics;
    const Names zones{"a", "b"};
    analytics.count(eventOf(1, FacePhase::enter, 0s, {"a"}), Monotonic(1s));
    analytics.count(eventOf(1, FacePhase::update, 2s, {"b", "a"}, {"a", "b"}), Monotonic(3s));
    const auto figures = figuresOf(analytics, zones);
    CHECK(figures.zones.at("a").present == 1);
    CHECK(figures.zones.at("a").entered == 2);
    CHECK(figures.zones.at("b").present == 0);
    CHECK(figures.zones.at("b").entered == 1);
    CHECK(figures.zones.at("b").left == 1);
}

TEST_CASE("a wall clock that jumps makes neither years nor less than nothing of a stay") {
    for (const Microseconds at : {Microseconds(std::chrono::hours(500'000)), Microseconds(-5s)}) {
        FaceAnalytics analytics;
        analytics.count(eventOf(1, FacePhase::enter, 0s, {"a"}), Monotonic(1s));
        analytics.count(eventOf(1, FacePhase::leave, at, {}, {"a"}), Monotonic(11s));
        const auto figures = figuresOf(analytics, {"a"});
        const Microseconds stayed = at < 0s ? 0s : 10s;
        CHECK(figures.faces.dwell.sum == stayed);
        CHECK(figures.zones.at("a").dwell.sum == stayed);
    }
}

TEST_CASE("what does not add up is not counted") {
    FaceAnalytics analytics;
    analytics.count(eventOf(1, FacePhase::leave, 0s, {}, {"a"}), Monotonic(1s));
    analytics.count(eventOf(2, FacePhase::update, 0s, {"a"}), Monotonic(1s));
    analytics.count(eventOf(3, FacePhase::enter, 0s), Monotonic(1s));
    analytics.count(eventOf(3, FacePhase::enter, 0s), Monotonic(1s));
    const auto figures = figuresOf(analytics, {"a"});
    CHECK(figures.faces.present == 1);
    CHECK(figures.faces.entered == 1);
    CHECK(figures.zones.at("a") == uplink::FaceFigures{});
}

TEST_CASE("only the config's zones are told, and a camera that is gone begins anew") {
    FaceAnalytics analytics;
    analytics.count(eventOf(1, FacePhase::enter, 0s, {"old"}), Monotonic(1s));
    CHECK(figuresOf(analytics, {"new"}).zones.size() == 1);
    CHECK(figuresOf(analytics, {"new", "old"}).zones.at("old").present == 1);
    analytics.end("door");
    CHECK(figuresOf(analytics, {"old"}).zones.at("old").entered == 0);
}
