#include "capture/timeline.hpp"

#include <doctest/doctest.h>

#include <set>

#include "tests/support/fake_clock.hpp"

using namespace edgecam;
using namespace edgecam::capture;
using namespace std::chrono_literals;

namespace {

SourceTime at(Microseconds running, Microseconds age = 0us) {
    SourceTime time;
    time.running = running;
    time.age = age;
    return time;
}

}  // namespace

TEST_CASE("pictures are numbered from 1 and media time starts near zero, whatever the source counts from") {
    test::FakeClock clock;
    Timeline timeline(clock);
    timeline.beginGeneration();
    const auto first = timeline.stamp(at(7h));
    clock.advance(33ms);
    const auto second = timeline.stamp(at(7h + 33ms));
    CHECK(first.sequence == 1);
    CHECK(second.sequence == 2);
    CHECK(first.mediaTime == Timeline::kFirstMediaTime);
    CHECK(second.mediaTime - first.mediaTime == 33ms);
}

TEST_CASE("capture time is now less the picture's age") {
    test::FakeClock clock;
    Timeline timeline(clock);
    const auto stamp = timeline.stamp(at(0us, 12ms));
    CHECK(stamp.captureTime == clock.utc() - 12ms);
    CHECK(stamp.capturedAt == clock.monotonic() - 12ms);
    clock.jumpWallClock(1h);
    CHECK(timeline.stamp(at(40ms, 5ms)).captureTime == clock.utc() - 5ms);
}

TEST_CASE("a restart goes on by the real time that passed, and never back") {
    test::FakeClock clock;
    Timeline timeline(clock);
    timeline.beginGeneration();
    const auto before = timeline.stamp(at(10s));
    clock.advance(5s);
    timeline.beginGeneration();
    const auto after = timeline.stamp(at(100ms));
    CHECK(after.mediaTime - before.mediaTime == 5s);
    CHECK(after.sequence == before.sequence + 1);
    timeline.beginGeneration();
    CHECK(timeline.stamp(at(0us, 2s)).mediaTime > after.mediaTime);
}

TEST_CASE("B-frames keep their distances, and their numbers follow the order of decoding") {
    test::FakeClock clock;
    Timeline timeline(clock);
    const auto key = timeline.stamp(at(100ms));
    const auto later = timeline.stamp(at(200ms, -100ms));
    const auto between = timeline.stamp(at(150ms, -50ms));
    CHECK(later.mediaTime - key.mediaTime == 100ms);
    CHECK(between.mediaTime - key.mediaTime == 50ms);
    CHECK(between.sequence == 3);
    CHECK(between.captureTime != later.captureTime);
}

TEST_CASE("equal times are moved apart: the seam of a looped file") {
    test::FakeClock clock;
    Timeline timeline(clock);
    std::set<Microseconds> media;
    std::set<Utc> captured;
    for (int i = 0; i < 5; ++i) {
        const auto stamp = timeline.stamp(at(1s));
        CHECK(media.insert(stamp.mediaTime).second);
        CHECK(captured.insert(stamp.captureTime).second);
    }
    CHECK(*media.rbegin() - *media.begin() == 4us);
}

TEST_CASE("a source that counts its pictures keeps its numbers, with the gaps") {
    test::FakeClock clock;
    Timeline timeline(clock);
    auto time = at(0us);
    for (const std::uint32_t number : {1U, 2U, 5U}) {
        time.number = number;
        time.running += 33ms;
        CHECK(timeline.stamp(time).sequence == number);
    }
    timeline.beginGeneration();
    time.number = 1;
    CHECK(timeline.stamp(time).sequence == 6);
}

TEST_CASE("recent stamps are found by number, forgotten ones are not") {
    test::FakeClock clock;
    Timeline timeline(clock);
    std::optional<PictureStamp> hundredth;
    for (int i = 1; i <= 600; ++i) {
        const auto stamp = timeline.stamp(at(Microseconds(i * 33'333)));
        if (i == 100) hundredth = stamp;
        if (i == 200) CHECK(timeline.find(100)->mediaTime == hundredth->mediaTime);
    }
    CHECK(timeline.find(600));
    CHECK_FALSE(timeline.find(1));
    CHECK_FALSE(timeline.find(601));
    CHECK(timeline.measuredRate() == doctest::Approx(30).epsilon(0.001));
}

TEST_CASE("a rate is measured within one opening of the source, and anew in the next") {
    test::FakeClock clock;
    Timeline timeline(clock);
    const auto play = [&](int pictures, Microseconds interval) {
        timeline.beginGeneration();
        for (int i = 0; i < pictures; ++i) {
            timeline.stamp(at(i * interval));
            clock.advance(interval);
        }
    };
    play(20, 40ms);
    CHECK(timeline.measuredRate() == 0);
    clock.advance(10s);
    play(32, 40ms);  // more than enough, but not since it was opened
    CHECK(timeline.measuredRate() == 0);
    play(33, 40ms);
    CHECK(timeline.measuredRate() == 25);
    play(40, 3s);
    CHECK(timeline.measuredRate() == doctest::Approx(1.0 / 3));
    play(40, 80ms);
    CHECK(timeline.measuredRate() == 12.5);
}

TEST_CASE("a rate that jitters about a whole one is that one") {
    test::FakeClock clock;
    Timeline timeline(clock);
    for (int i = 0; i < 33; ++i)
        timeline.stamp(at(i * 40ms + (i % 2 == 0 ? 9ms : 0ms) + (i == 32 ? 5ms : 0ms)));
    CHECK(timeline.measuredRate() == 25);
}

TEST_CASE("two streams of a camera never share a number, and their running time is one") {
    test::FakeClock clock;
    const auto count = std::make_shared<CameraCount>();
    Timeline main(clock, count);
    Timeline sub(clock, count);
    main.beginGeneration();
    CHECK(main.stamp(at(5s)).sequence == 1);
    clock.advance(2s);
    CHECK(main.stamp(at(7s)).sequence == 2);
    sub.beginGeneration();
    const auto small = sub.stamp(at(100ms, 20ms));
    CHECK(small.sequence == 3);
    clock.advance(10ms);
    const auto big = main.stamp(at(7s + 10ms));
    CHECK(big.sequence == 4);
    // Taken 30 ms apart, whatever each source counts from.
    CHECK(big.mediaTime - small.mediaTime == 30ms);
    CHECK(main.find(4)->mediaTime == big.mediaTime);
    CHECK_FALSE(main.find(3));
    CHECK(sub.find(3)->mediaTime == small.mediaTime);
    sub.beginGeneration();
    clock.advance(1s);
    CHECK(sub.stamp(at(0us)).sequence == 5);
}

TEST_CASE("a camera that takes another's place goes on behind it, however soon its first picture comes") {
    test::FakeClock clock;
    const auto count = std::make_shared<CameraCount>();
    Microseconds last{0};
    {
        Timeline before(clock, count);
        before.beginGeneration();
        before.stamp(at(5s));
        clock.advance(10ms);
        last = before.stamp(at(5s + 90ms)).mediaTime;  // 80 ms ahead of the clock, as smoothing has it
    }
    clock.advance(10ms);
    Timeline after(clock, count);
    after.beginGeneration();
    const auto first = after.stamp(at(0us));
    CHECK(first.sequence == 3);
    CHECK(first.mediaTime == last + 1us);
    clock.advance(10s);
    after.beginGeneration();
    CHECK(after.stamp(at(0us)).mediaTime == 500ms + 10s + 20ms);
}
