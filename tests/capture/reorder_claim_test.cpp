#include "capture/reorder_claim.hpp"

#include <doctest/doctest.h>

using namespace edgecam;
using namespace edgecam::capture;
using namespace std::chrono_literals;

namespace {

/// 25 pictures a second, a key frame each second.
struct Camera {
    ReorderClaim claim;
    int next = 0;

    void play(int pictures) {
        for (; pictures > 0; --pictures, ++next) claim.note(next * 40ms, next % 25 == 0);
    }
    /// A picture that is to be shown before the one decoded last.
    void playB() { claim.note(next * 40ms - 60ms, false); }
};

}  // namespace

TEST_CASE_FIXTURE(Camera, "in order for two seconds: void from the next key frame on") {
    play(50);
    CHECK_FALSE(claim.isVoid());
    play(1);
    CHECK(claim.isVoid());
    play(500);
    CHECK(claim.isVoid());
}

TEST_CASE_FIXTURE(Camera, "one that reorders is believed") {
    play(10);
    playB();
    play(500);
    CHECK_FALSE(claim.isVoid());
}

TEST_CASE_FIXTURE(Camera, "one that begins to reorder is believed from then on") {
    play(100);
    CHECK(claim.isVoid());
    playB();
    CHECK_FALSE(claim.isVoid());
    play(500);
    CHECK_FALSE(claim.isVoid());
}

TEST_CASE_FIXTURE(Camera, "a time that goes back over a break proves nothing") {
    play(100);
    claim.breakOff();
    next = 0;
    play(100);
    CHECK(claim.isVoid());
}

TEST_CASE_FIXTURE(Camera, "few pictures show nothing, nor does a group without end") {
    for (int i = 0; i < 20; ++i) claim.note(i * 1s, true);
    CHECK_FALSE(claim.isVoid());
    ReorderClaim endless;
    for (int i = 0; i < 1000; ++i) endless.note(i * 40ms, i == 0);
    CHECK_FALSE(endless.isVoid());
}
