#include "vision/face_tracker.hpp"

#include <doctest/doctest.h>

#include <set>

using namespace edgecam;
using namespace edgecam::vision;
using namespace std::chrono_literals;

namespace {

constexpr Utc kStart{Microseconds(1'700'000'000'000'000)};
constexpr Microseconds kStep = 100ms;

Face faceAt(float x, float y, float confidence = 0.9F) {
    return {{x, y, 0.1F, 0.2F}, confidence, {}};
}

/// A tracker with a clock: each call is the next picture, a tenth of a second later.
class Pictures {
  public:
    explicit Pictures(TrackerSettings settings = {}) : tracker_(settings) {}

    FaceTracker::Outcome next(const std::vector<Face>& faces, Microseconds step = kStep) {
        now_ += step;
        return tracker_.follow(faces, now_);
    }
    /// The id of a face that has been seen often enough to be live.
    std::uint64_t settle(const Face& face) {
        next({face});
        const auto outcome = next({face});
        REQUIRE(outcome.seen.size() == 1);
        return outcome.seen[0].trackId;
    }
    FaceTracker& tracker() { return tracker_; }

  private:
    FaceTracker tracker_;
    Utc now_ = kStart;
};

}  // namespace

TEST_CASE("a face is live with its second sight, under one id, with the detector's own box") {
    Pictures pictures;
    CHECK(pictures.next({faceAt(0.1F, 0.1F)}).seen.empty());
    const auto second = pictures.next({faceAt(0.11F, 0.1F)});
    REQUIRE(second.seen.size() == 1);
    CHECK(second.seen[0].face.box == faceAt(0.11F, 0.1F).box);
    const auto third = pictures.next({faceAt(0.12F, 0.1F)});
    REQUIRE(third.seen.size() == 1);
    CHECK(third.seen[0].trackId == second.seen[0].trackId);
}

TEST_CASE("a flash of one picture becomes no track and uses up no id") {
    Pictures pictures;
    pictures.next({faceAt(0.5F, 0.5F)});
    CHECK(pictures.next({}).ended.empty());
    CHECK(pictures.next({faceAt(0.5F, 0.5F)}).seen.empty());
    CHECK(pictures.settle(faceAt(0.1F, 0.1F)) == 1);
}

TEST_CASE("a face that is not sure starts nothing; a weak one only keeps what is there") {
    Pictures pictures;
    for (int i = 0; i < 5; ++i) CHECK(pictures.next({faceAt(0.1F, 0.1F, 0.65F)}).seen.empty());
    const auto id = pictures.settle(faceAt(0.1F, 0.1F, 0.7F));
    const auto weak = pictures.next({faceAt(0.1F, 0.1F, 0.35F), faceAt(0.6F, 0.1F, 0.35F)});
    REQUIRE(weak.seen.size() == 1);
    CHECK(weak.seen[0].trackId == id);
    CHECK(weak.seen[0].face.confidence == 0.35F);
    CHECK(pictures.next({faceAt(0.1F, 0.1F, 0.29F)}).seen.empty());
}

TEST_CASE("a weak face does not confirm a track that is not live yet") {
    Pictures pictures;
    pictures.next({faceAt(0.1F, 0.1F)});
    CHECK(pictures.next({faceAt(0.1F, 0.1F, 0.5F)}).seen.empty());
}

TEST_CASE("the sure face gets the track even where a weak one fits better") {
    Pictures pictures;
    pictures.settle(faceAt(0.1F, 0.1F));
    const auto outcome = pictures.next({faceAt(0.1F, 0.1F, 0.4F), faceAt(0.12F, 0.1F, 0.9F)});
    REQUIRE(outcome.seen.size() == 1);
    CHECK(outcome.seen[0].face.confidence == 0.9F);
}

TEST_CASE("an unseen face is not reported, comes back under its id, and ends after a second unseen") {
    Pictures pictures;
    const auto id = pictures.settle(faceAt(0.1F, 0.1F));
    for (int i = 0; i < 8; ++i) {
        const auto missed = pictures.next({});
        CHECK(missed.seen.empty());
        CHECK(missed.ended.empty());
    }
    const auto back = pictures.next({faceAt(0.1F, 0.1F)});
    REQUIRE(back.seen.size() == 1);
    CHECK(back.seen[0].trackId == id);

    for (int i = 0; i < 9; ++i) CHECK(pictures.next({}).ended.empty());
    CHECK(pictures.next({}).ended == std::vector<std::uint64_t>{id});
    CHECK(pictures.settle(faceAt(0.1F, 0.1F)) != id);
}

TEST_CASE("forgetting goes by capture time, whatever the number of pictures") {
    Pictures pictures;
    pictures.settle(faceAt(0.1F, 0.1F));
    for (int i = 0; i < 99; ++i) CHECK(pictures.next({}, 10ms).ended.empty());
    CHECK(pictures.next({}, 10ms).ended.size() == 1);

    pictures.settle(faceAt(0.1F, 0.1F));
    CHECK(pictures.next({}, 1s).ended.size() == 1);
}

TEST_CASE("a face that moves is found where it must be by now, also after pictures that missed it") {
    Pictures pictures;
    const auto id = pictures.settle(faceAt(0.0F, 0.1F));
    // Half a face width a picture: after three missed pictures there is no overlap with where it was.
    float x = 0;
    for (int i = 0; i < 5; ++i) pictures.next({faceAt(x += 0.05F, 0.1F)});
    for (int i = 0; i < 3; ++i) {
        pictures.next({});
        x += 0.05F;
    }
    const auto found = pictures.next({faceAt(x + 0.05F, 0.1F)});
    REQUIRE(found.seen.size() == 1);
    CHECK(found.seen[0].trackId == id);
}

TEST_CASE("a face that shrinks while it is being hidden is as large as before when it comes out") {
    Pictures pictures;
    const Face whole = faceAt(0.4F, 0.4F);
    const auto id = pictures.settle(whole);
    Face half = whole;
    for (int step = 1; step <= 3; ++step) {
        half.box.y += 0.1F * half.box.height;
        half.box.height *= 0.8F;
        pictures.next({half});
    }
    for (int step = 0; step < 7; ++step) CHECK(pictures.next({}).seen.empty());
    const auto out = pictures.next({whole});
    REQUIRE(out.seen.size() == 1);
    CHECK(out.seen[0].trackId == id);
}

TEST_CASE("two faces that pass each other keep their ids") {
    Pictures pictures;
    std::uint64_t fromLeft = 0;
    std::uint64_t fromRight = 0;
    for (int i = 0; i <= 20; ++i) {
        const float way = 0.04F * static_cast<float>(i);
        std::vector<Face> faces{faceAt(way, 0.10F), faceAt(0.8F - way, 0.14F)};
        if (i == 10) faces.pop_back();  // one hides the other
        const auto outcome = pictures.next(faces);
        if (i == 1) {
            REQUIRE(outcome.seen.size() == 2);
            fromLeft = outcome.seen[0].trackId;
            fromRight = outcome.seen[1].trackId;
        }
        for (const TrackedFace& seen : outcome.seen) {
            CAPTURE(i);
            CHECK(seen.trackId == (seen.face.box.y < 0.12F ? fromLeft : fromRight));
        }
    }
    CHECK(fromLeft != fromRight);
}

TEST_CASE("one face is never two tracks, and one track never two faces") {
    Pictures pictures;
    pictures.settle(faceAt(0.1F, 0.1F));
    const std::vector<Face> close{faceAt(0.1F, 0.1F), faceAt(0.15F, 0.1F)};
    pictures.next(close);
    for (int i = 0; i < 3; ++i) {
        const auto outcome = pictures.next(close);
        REQUIRE(outcome.seen.size() == 2);
        CHECK(outcome.seen[0].trackId != outcome.seen[1].trackId);
        CHECK(outcome.seen[0].face.box != outcome.seen[1].face.box);
    }
}

TEST_CASE("after a long gap between pictures everything starts anew") {
    Pictures pictures;
    const auto id = pictures.settle(faceAt(0.1F, 0.1F));
    const auto late = pictures.next({faceAt(0.1F, 0.1F)}, 4s);
    CHECK(late.ended == std::vector<std::uint64_t>{id});
    CHECK(late.seen.empty());
}

TEST_CASE("a wall clock that is set back neither ends a track nor keeps it for ever") {
    Pictures pictures;
    const auto id = pictures.settle(faceAt(0.1F, 0.1F));
    const auto outcome = pictures.next({faceAt(0.1F, 0.1F)}, -1h);
    REQUIRE(outcome.seen.size() == 1);
    CHECK(outcome.seen[0].trackId == id);
    for (int i = 0; i < 9; ++i) CHECK(pictures.next({}).ended.empty());
    CHECK(pictures.next({}).ended.size() == 1);
}

TEST_CASE("ending all names the live tracks once") {
    Pictures pictures;
    const auto id = pictures.settle(faceAt(0.1F, 0.1F));
    pictures.next({faceAt(0.1F, 0.1F), faceAt(0.6F, 0.1F)});
    CHECK(pictures.tracker().endAll() == std::vector<std::uint64_t>{id});
    CHECK(pictures.tracker().endAll().empty());
}

TEST_CASE("the settings follow a config's wish and a slow rate") {
    const TrackerSettings usual = trackerSettings(0.6F, 10);
    CHECK(usual.confident == doctest::Approx(0.6));
    CHECK(usual.birth == doctest::Approx(0.7));
    CHECK(usual.weak == doctest::Approx(0.3));
    CHECK(usual.forgetAfter == 1s);
    CHECK(trackerSettings(0.95F, 10).birth <= 0.95F);
    CHECK(usual.hitsToConfirm == 2);
    CHECK(trackerSettings(0.6F, 30).hitsToConfirm == 3);

    Pictures slow(trackerSettings(0.6F, 0.1));
    slow.next({faceAt(0.1F, 0.1F)}, 10s);
    CHECK(slow.next({faceAt(0.1F, 0.1F)}, 10s).seen.size() == 1);
    CHECK(slow.next({}, 10s).ended.empty());
    CHECK(slow.next({}, 10s).ended.size() == 1);
}
