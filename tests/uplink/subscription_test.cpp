#include "uplink/subscription.hpp"

#include <doctest/doctest.h>

#include "tests/support/fake_clock.hpp"
#include "tests/uplink/session_bench.hpp"

using namespace std::chrono_literals;
using namespace edgecam;
using namespace edgecam::uplink;
using namespace edgecam::uplink::test;

TEST_CASE("after auth a peer hears faces, states and errors of every camera, and the system") {
    const auto subscription = Subscription::afterAuth();
    for (const char* name : {"face_detected", "stream_status", "error"})
        CHECK(subscription.wants("cam_123", name));
    CHECK(subscription.wants("", "system"));
    CHECK_FALSE(subscription.wants("cam_123", "detections"));
    CHECK_FALSE(subscription.wants("cam_123", "system"));
}

TEST_CASE("a topic names a camera or any, and what it wants of it") {
    Subscription subscription;
    REQUIRE(subscription.add("door/detections", {}));
    CHECK(subscription.wants("door", "detections"));
    CHECK_FALSE(subscription.wants("door2", "detections"));
    CHECK_FALSE(subscription.wants("door", "face_detected"));
    CHECK_FALSE(subscription.wants("", "system"));
    subscription.remove("door/detections");
    CHECK_FALSE(subscription.wants("door", "detections"));
    subscription.remove("never/there");
}

TEST_CASE("a malformed topic is an error and changes nothing") {
    Subscription subscription;
    for (const char* topic : {"", "/", "door", "door/", "/detections", "a b/detections", "door/Detections",
                              "door/a/b", "**/detections", "systems", "door/detections ", "dö/detections"}) {
        CAPTURE(topic);
        CHECK_FALSE(subscription.add(topic, {}));
    }
    CHECK_FALSE(subscription.add(std::string(65, 'a') + "/detections", {}));
    CHECK_FALSE(subscription.add("door/" + std::string(33, 'a'), {}));
    CHECK(subscription.entries().empty());
}

TEST_CASE("subscribing again replaces the entry, and there is an end to their number") {
    Subscription subscription;
    for (std::size_t i = 0; i < Subscription::kMaxEntries; ++i) {
        REQUIRE(subscription.add("cam" + std::to_string(i) + "/error", {}));
    }
    CHECK_FALSE(subscription.add("one-more/error", {}));
    TopicEntry entry;
    entry.rateHz = 2.0;
    CHECK(subscription.add("cam0/error", entry));
    CHECK(subscription.entries().at("cam0/error").rateHz == 2.0);
}

TEST_CASE("a filter decides once a track, when it enters") {
    Subscription subscription;
    TopicEntry entry;
    entry.filter.minConfidence = 0.8F;
    REQUIRE(subscription.add("*/face_detected", entry));
    CHECK_FALSE(subscription.admits(faceOf("door", 1, FacePhase::enter, 0.5F)));
    CHECK_FALSE(subscription.admits(faceOf("door", 1, FacePhase::update, 0.95F)));
    CHECK(subscription.admits(faceOf("door", 2, FacePhase::enter, 0.9F)));
    CHECK(subscription.admits(faceOf("door", 2, FacePhase::update, 0.1F)));
    CHECK_FALSE(subscription.admits(faceOf("yard", 2, FacePhase::update, 0.1F)));  // another camera's track
    CHECK(subscription.admits(faceOf("door", 2, FacePhase::leave, 0.1F)));
    CHECK_FALSE(subscription.admits(faceOf("door", 2, FacePhase::update, 0.1F)));  // forgotten with its leave
}

TEST_CASE("a filter knows the size of faces and the phases wanted") {
    Subscription subscription;
    TopicEntry entry;
    entry.filter.minFacePx = 128;  // a tenth of 1280
    entry.filter.phases = {FacePhase::enter, FacePhase::leave};
    REQUIRE(subscription.add("*/face_detected", entry));
    FaceEvent wide = faceOf("door", 1, FacePhase::enter);
    wide.face.box.width = 0.11F;
    CHECK(subscription.admits(wide));
    wide.phase = FacePhase::update;
    CHECK_FALSE(subscription.admits(wide));
    wide.phase = FacePhase::leave;
    CHECK(subscription.admits(wide));
    FaceEvent narrow = faceOf("door", 2, FacePhase::enter);
    narrow.face.box.width = 0.09F;
    CHECK_FALSE(subscription.admits(narrow));
}

TEST_CASE("a filter for zones waits for a face to come into one, and then tells all of it") {
    Subscription subscription;
    TopicEntry entry;
    entry.filter.zones = {"gate", "till"};
    REQUIRE(subscription.add("door/face_detected", entry));
    const auto event = [](std::uint64_t track, FacePhase phase, std::vector<std::string> zones,
                          std::vector<std::string> entered = {}) {
        FaceEvent face = faceOf("door", track, phase);
        face.zones = std::move(zones);
        face.zonesEntered = std::move(entered);
        return face;
    };
    CHECK_FALSE(subscription.admits(event(1, FacePhase::enter, {})));
    CHECK_FALSE(subscription.admits(event(1, FacePhase::update, {"street"}, {"street"})));
    CHECK(subscription.admits(event(1, FacePhase::update, {"street"}, {"gate", "street"})));  // came through
    CHECK(subscription.admits(event(1, FacePhase::update, {})));
    CHECK(subscription.admits(event(1, FacePhase::leave, {})));
    CHECK(subscription.admits(event(2, FacePhase::enter, {"till"}, {"till"})));
    CHECK_FALSE(subscription.admits(event(1, FacePhase::enter, {})));  // a number that is used again
}

TEST_CASE("of several entries one that lets an event through is enough") {
    Subscription subscription;
    TopicEntry strict;
    strict.filter.minConfidence = 0.99F;
    REQUIRE(subscription.add("*/face_detected", strict));
    CHECK_FALSE(subscription.admits(faceOf("door", 1, FacePhase::enter)));
    REQUIRE(subscription.add("door/face_detected", {}));
    CHECK(subscription.admits(faceOf("door", 2, FacePhase::enter)));
    CHECK_FALSE(subscription.admits(faceOf("yard", 2, FacePhase::enter)));
}

TEST_CASE("detections are thinned to the highest rate asked for, on average") {
    edgecam::test::FakeClock clock;
    Subscription subscription;
    Detections detections;
    detections.cameraId = "door";
    const auto inTenSeconds = [&] {
        int sent = 0;
        for (int i = 0; i < 100; ++i) {  // ten a second
            clock.advance(100ms);
            if (subscription.admits(detections, clock.monotonic())) ++sent;
        }
        return sent;
    };
    CHECK(inTenSeconds() == 0);
    TopicEntry slow;
    slow.rateHz = 3.0;
    REQUIRE(subscription.add("*/detections", slow));
    const int thinned = inTenSeconds();
    CHECK(thinned >= 29);
    CHECK(thinned <= 31);
    slow.rateHz = 5.0;
    REQUIRE(subscription.add("door/detections", slow));
    CHECK(inTenSeconds() == 50);
    REQUIRE(subscription.add("door/detections", {}));
    CHECK(inTenSeconds() == 100);
}
