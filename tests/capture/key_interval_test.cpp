#include "capture/key_interval.hpp"

#include <doctest/doctest.h>

using namespace edgecam;
using namespace edgecam::capture;
using namespace std::chrono_literals;

namespace {

/// Pictures at 10 a second, each `interval` a key frame.
struct Camera {
    KeyInterval intervals;
    Microseconds now{0};
    Microseconds nextKey{0};

    void play(Microseconds span, Microseconds interval) {
        for (const Microseconds end = now + span; now < end; now += 100ms) {
            const bool key = now >= nextKey;
            if (key) nextKey = now + interval;
            intervals.note(now, key);
        }
    }
};

}  // namespace

TEST_CASE_FIXTURE(Camera, "up to four seconds nobody complains") {
    play(60s, 4s);
    CHECK(!intervals.tooLong());
}

TEST_CASE_FIXTURE(Camera, "a long group is noticed while it lasts, then by its length") {
    play(4100ms, 10s);
    CHECK(!intervals.tooLong());
    play(200ms, 10s);
    CHECK(intervals.tooLong() == 4200ms);
    play(30s, 10s);
    CHECK(intervals.tooLong() == 10s);
}

TEST_CASE_FIXTURE(Camera, "it is forgotten after four short ones") {
    play(10100ms, 10s);
    nextKey = now;
    play(3s, 1s);
    CHECK(intervals.tooLong() == 10s);
    play(2s, 1s);
    CHECK(!intervals.tooLong());
}

TEST_CASE_FIXTURE(Camera, "a pause of the source is no interval") {
    play(3s, 1s);
    intervals.breakOff();
    now = nextKey = now + 60s;
    play(3s, 1s);
    CHECK(!intervals.tooLong());
}

TEST_CASE_FIXTURE(Camera, "one key frame and no other ever") {
    play(1min, 24h);
    CHECK(intervals.tooLong() == 59900ms);
}

TEST_CASE_FIXTURE(Camera, "key frames come often from two intervals of at most two seconds on") {
    play(2100ms, 2s);
    CHECK_FALSE(intervals.often());
    play(2s, 2s);
    CHECK(intervals.often());
    nextKey = now + 1h;
    play(2500ms, 2s);  // a key frame is overdue
    CHECK_FALSE(intervals.often());
    nextKey = now;
    play(5s, 2s);
    CHECK_FALSE(intervals.often());
    play(4s, 2s);
    CHECK(intervals.often());
}
