// When pictures are no view of anything: tables of pictures and times.
#include "capture/picture_health.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <random>
#include <vector>

using namespace edgecam;
using namespace edgecam::capture;
using namespace std::chrono_literals;
using Fault = PictureHealth::Fault;

namespace {

/// A picture whose rows have room behind them, filled with something else.
struct Made {
    explicit Made(Size size, std::uint8_t luma = 100, int padding = 5)
        : stride(size.width + padding), bytes(static_cast<std::size_t>(stride * size.height), 0xee) {
        picture.size = size;
        picture.planes[0] = {bytes.data(), stride};
        for (int y = 0; y < size.height; ++y) {
            for (int x = 0; x < size.width; ++x) at(x, y) = luma;
        }
    }
    std::uint8_t& at(int x, int y) { return bytes[static_cast<std::size_t>(y * stride + x)]; }
    LumaTrace trace() { return lumaTraceOf(picture); }

    int stride;
    std::vector<std::uint8_t> bytes;
    Picture picture;
};

LumaTrace grey(std::uint64_t hash) {
    return {.hash = hash, .mean = 90, .deviation = 40};
}
LumaTrace black(std::uint64_t hash) {
    return {.hash = hash, .mean = 16, .deviation = 0.5};
}

struct Fixture {
    PictureHealth health{{.frozenAfter = 10s, .blackAfter = 10s}};
    Monotonic now{Microseconds(1000s)};
    std::uint64_t fresh = 0;

    /// Five pictures a second, each coded for itself; `of`: the number of the picture → its trace.
    template <class Trace>
    void play(Microseconds time, const Trace& of) {
        for (Microseconds played{0}; played < time; played += 200ms) {
            now += 200ms;
            ++fresh;
            health.saw(of(fresh), now, fresh);
        }
    }
    void still(Microseconds time, std::uint64_t hash = 1) {
        play(time, [&](auto) { return grey(hash); });
    }
    void moving(Microseconds time) {
        play(time, [](std::uint64_t number) { return grey(1000 + number); });
    }
};

}  // namespace

TEST_CASE("a trace is of the picture and of nothing beside it") {
    for (const Size size : {Size{640, 360}, Size{1280, 720}, Size{322, 183}, Size{7, 3}}) {
        CAPTURE(size.width);
        Made one(size);
        Made other(size, 100, 13);
        CHECK(one.trace().hash == other.trace().hash);
        CHECK(one.trace().mean == doctest::Approx(100));
        CHECK(one.trace().deviation == doctest::Approx(0));
        // Any pixel of a row that is looked at, the last one too.
        for (const int x : {0, size.width / 2, size.width - 1}) {
            Made changed(size);
            ++changed.at(x, std::min(16, size.height) / 2);
            CHECK(changed.trace().hash != one.trace().hash);
        }
    }
    CHECK(lumaTraceOf(Picture{}).hash == 0);
}

TEST_CASE("noise has spread, and two rows that change places are another picture") {
    Made noise({640, 360});
    std::mt19937 random(1);
    for (auto& byte : noise.bytes) byte = static_cast<std::uint8_t>(random() % 32);
    CHECK(noise.trace().mean == doctest::Approx(15.5).epsilon(0.05));
    CHECK(noise.trace().deviation > 8);
    Made one({64, 64});
    Made other({64, 64});
    for (int x = 0; x < 64; ++x) one.at(x, 8) = other.at(x, 24) = 7;
    CHECK(one.trace().hash != other.trace().hash);
}

TEST_CASE_FIXTURE(Fixture,
                  "a picture that stands still is opened anew once and then degraded, until it moves") {
    moving(30s);
    CHECK(health.fault() == Fault::none);
    CHECK(health.reason().empty());
    still(10s);
    CHECK(health.fault() == Fault::none);
    still(200ms);
    CHECK(health.fault() == Fault::frozen);
    CHECK(health.wantsRestart());
    CHECK(health.reason() == "the picture is frozen: nothing in it changed for 10 s or longer");
    health.restarted();
    health.brokeOff();
    CHECK_FALSE(health.wantsRestart());
    CHECK(health.fault() == Fault::frozen);  // until a picture says otherwise
    still(200ms);
    CHECK(health.fault() == Fault::frozen);
    CHECK(health.reason() ==
          "the picture is frozen: nothing in it changed for 10 s or longer; opening the camera anew did not "
          "help");
    moving(200ms);
    CHECK(health.fault() == Fault::none);
    CHECK(health.reason().empty());
}

TEST_CASE_FIXTURE(Fixture, "a camera that freezes again soon is not opened anew again and again") {
    still(11s);
    health.restarted();
    health.brokeOff();
    moving(50s);
    still(11s);
    CHECK(health.fault() == Fault::frozen);
    CHECK_FALSE(health.wantsRestart());
    moving(61s);
    still(11s);
    CHECK(health.wantsRestart());
}

TEST_CASE_FIXTURE(Fixture, "while it is closed nothing stands still") {
    still(9s);
    health.brokeOff();
    now += 60s;
    still(9s);
    CHECK(health.fault() == Fault::none);
    still(2s);
    CHECK(health.fault() == Fault::frozen);
}

TEST_CASE_FIXTURE(Fixture, "of a coded stream two pictures that build on no other must be the same") {
    // A scene without motion: the same picture again and again until the next key frame.
    for (int i = 0; i < 100; ++i) {
        now += 200ms;
        health.saw(grey(1), now, 1);
    }
    CHECK(health.fault() == Fault::none);
    now += 200ms;
    health.saw(grey(1), now, 2);
    CHECK(health.fault() == Fault::none);
    now += 200ms;
    health.saw(grey(1), now, 3);
    CHECK(health.fault() == Fault::frozen);
}

TEST_CASE_FIXTURE(Fixture, "black is mean and spread, whatever the noise below does to the hash") {
    play(11s, [](std::uint64_t number) { return black(number); });
    CHECK(health.fault() == Fault::black);
    CHECK(health.wantsRestart());
    CHECK(health.reason() == "the picture is black, for 10 s or longer");
    // Light goes on.
    moving(200ms);
    CHECK(health.fault() == Fault::none);
    // A dark room with a sensor's noise, and a grey wall, are not black.
    play(20s, [](std::uint64_t number) { return LumaTrace{number, 20, 3}; });
    CHECK(health.fault() == Fault::none);
    play(20s, [](std::uint64_t number) { return LumaTrace{number, 40, 0.5}; });
    CHECK(health.fault() == Fault::none);
    // Black that also stands still is called black.
    play(11s, [](auto) { return black(7); });
    CHECK(health.fault() == Fault::black);
}

TEST_CASE_FIXTURE(Fixture, "what is not asked for is not found") {
    PictureHealth onlyBlack{{.frozenAfter = 0s, .blackAfter = 5s}};
    PictureHealth onlyFrozen{{.frozenAfter = 5s, .blackAfter = 0s}};
    CHECK(onlyBlack.asked());
    CHECK_FALSE(PictureHealth{{}}.asked());
    for (int i = 1; i <= 30; ++i) {
        now += 200ms;
        onlyBlack.saw(grey(1), now, ++fresh);
        onlyFrozen.saw(black(fresh), now, fresh);
    }
    CHECK(onlyBlack.fault() == Fault::none);
    CHECK(onlyFrozen.fault() == Fault::none);
}
