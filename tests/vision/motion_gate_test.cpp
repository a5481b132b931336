#include "vision/motion_gate.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <random>
#include <vector>

using namespace edgecam;
using namespace edgecam::vision;
using namespace std::chrono_literals;

namespace {

constexpr Utc kStart{Microseconds(1'700'000'000'000'000)};

/// A wall of grey whose pixels are told by their place.
Picture pictureOf(Microseconds at, const std::function<int(int x, int y)>& luma, Size size = {640, 360}) {
    auto pixels = std::make_shared<std::vector<std::uint8_t>>();
    for (int y = 0; y < size.height; ++y) {
        for (int x = 0; x < size.width; ++x) {
            pixels->push_back(static_cast<std::uint8_t>(std::clamp(luma(x, y), 0, 255)));
        }
    }
    Picture picture;
    picture.size = size;
    picture.captureTime = kStart + at;
    picture.planes[0] = {pixels->data(), size.width};
    picture.pixels = std::move(pixels);
    return picture;
}

int wall(int x, int y) {
    return 60 + (x / 7 + y / 5) % 90;
}

Picture noisy(Microseconds at, double sigma, unsigned seed) {
    std::mt19937 random(seed);
    std::normal_distribution<double> noise(0, sigma);
    return pictureOf(at,
                     [&](int x, int y) { return wall(x, y) + static_cast<int>(std::lround(noise(random))); });
}

/// Looked through at 0 s, and still for longer than the gate stays open by itself.
MotionGate restingGate() {
    MotionGate gate;
    CHECK(gate.opens(noisy(0ms, 5, 1)));
    gate.looked(noisy(0ms, 5, 1));
    CHECK(gate.opens(noisy(500ms, 5, 2)));  // in the second after a change
    CHECK_FALSE(gate.opens(noisy(1500ms, 5, 3)));
    return gate;
}

}  // namespace

TEST_CASE("noise is no change, and a still view is looked through every 5 s, then more and more seldom") {
    MotionGate gate = restingGate();
    for (unsigned i = 0; i < 30; ++i) CHECK_FALSE(gate.opens(noisy(1600ms + i * 100ms, 5, 10 + i)));
    Microseconds looked = 0s;
    for (const Microseconds rest : {5s, 10s, 20s, 30s, 30s}) {
        CHECK_FALSE(gate.opens(noisy(looked + rest - 100ms, 5, 98)));
        looked += rest;
        CHECK(gate.opens(noisy(looked, 5, 99)));
        gate.looked(noisy(looked, 5, 99));
    }
    const auto moved = [](int x, int y) { return x > 400 && x < 460 && y > 100 ? 200 : wall(x, y); };
    CHECK(gate.opens(pictureOf(looked + 2s, moved)));
    gate.looked(pictureOf(looked + 2s, moved));
    CHECK(gate.opens(pictureOf(looked + 2900ms, moved)));
    gate.looked(pictureOf(looked + 2900ms, moved));
    CHECK_FALSE(gate.opens(pictureOf(looked + 7800ms, moved)));
    CHECK(gate.opens(pictureOf(looked + 7900ms, moved)));  // after a change every 5 s again
}

TEST_CASE("a small face is a change, wherever it comes") {
    for (const auto& corner : {std::pair{0, 0}, {616, 330}, {308, 172}, {10, 325}, {333, 51}}) {
        const int left = corner.first;
        const int top = corner.second;
        MotionGate gate = restingGate();
        CAPTURE(left);
        CAPTURE(top);
        const auto face = [&](int x, int y) {
            const bool inside = x >= left && x < left + 24 && y >= top && y < top + 30;
            return inside ? 150 : wall(x, y);
        };
        CHECK(gate.opens(pictureOf(2s, face)));
    }
}

TEST_CASE("it stays open for a second after what moved stopped, for a face that is seen late") {
    MotionGate gate = restingGate();
    const auto moved = [](int x, int y) {
        return x > 400 && x < 460 && y > 100 && y < 160 ? 200 : wall(x, y);
    };
    CHECK(gate.opens(pictureOf(2s, moved)));
    gate.looked(pictureOf(2s, moved));
    CHECK(gate.opens(pictureOf(2900ms, moved)));
    gate.looked(pictureOf(2900ms, moved));
    CHECK_FALSE(gate.opens(pictureOf(3100ms, moved)));
}

TEST_CASE("a lamp that changes everything alike is no change; a drift is one once it is large enough") {
    MotionGate gate = restingGate();
    CHECK_FALSE(gate.opens(pictureOf(2s, [](int x, int y) { return wall(x, y) + 20; })));
    int opened = 0;
    for (int step = 1; step <= 12; ++step) {
        const auto shade = [&](int x, int y) { return wall(x, y) - (x < 200 ? step : 0); };
        const Picture picture = pictureOf(2s + step * 100ms, shade);
        if (!gate.opens(picture)) continue;
        ++opened;
        gate.looked(picture);
    }
    CHECK(opened >= 1);
}

TEST_CASE("what cannot be told is looked through") {
    MotionGate gate = restingGate();
    CHECK(gate.opens(noisy(-1s, 5, 4)));  // a clock that was set back
    Picture empty;
    empty.captureTime = kStart + 3s;
    CHECK(gate.opens(empty));
    CHECK(gate.opens(pictureOf(3s, wall, {16, 16})));
    CHECK(MotionGate().opens(pictureOf(3s, wall, {33, 19})));
}

TEST_CASE("the picture behind a change is looked through too, however late it comes") {
    MotionGate gate = restingGate();
    const auto lamp = [](Microseconds at) {
        return pictureOf(at, [](int x, int y) { return wall(x, y) + (x < 40 && y < 40 ? 60 : 0); });
    };
    CHECK(gate.opens(lamp(2s)));
    gate.looked(lamp(2s));
    CHECK(gate.opens(lamp(4s)));
    gate.looked(lamp(4s));
    CHECK_FALSE(gate.opens(lamp(6s)));
}
