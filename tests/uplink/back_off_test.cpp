#include "uplink/back_off.hpp"

#include <doctest/doctest.h>

#include <vector>

using namespace std::chrono_literals;
using edgecam::Microseconds;
using edgecam::uplink::BackOff;

namespace {

BackOff withChance(double part) {
    return BackOff({}, [part] { return part; });
}

}  // namespace

TEST_CASE("the limit doubles from half a second up to a minute and stays there") {
    auto backOff = withChance(1.0);
    std::vector<Microseconds> delays;
    for (int i = 0; i < 9; ++i) delays.push_back(backOff.afterFailure());
    CHECK(delays == std::vector<Microseconds>{500ms, 1s, 2s, 4s, 8s, 16s, 32s, 60s, 60s});
}

TEST_CASE("jitter is full: the delay is any part of the limit, down to none") {
    auto none = withChance(0.0);
    CHECK(none.afterFailure() == 0s);
    auto half = withChance(0.5);
    CHECK(half.afterFailure() == 250ms);
    CHECK(half.afterFailure() == 500ms);
}

TEST_CASE("a connection that broke young does not calm the back-off") {
    auto backOff = withChance(1.0);
    for (int i = 0; i < 3; ++i) (void)backOff.afterFailure();
    CHECK(backOff.afterLoss(29s) == 4s);
    CHECK(backOff.afterLoss(0s) == 8s);
}

TEST_CASE("after a healthy connection the first try comes within three seconds and the limit starts anew") {
    auto backOff = withChance(1.0);
    for (int i = 0; i < 6; ++i) (void)backOff.afterFailure();
    CHECK(backOff.afterLoss(30s) == 3s);
    CHECK(backOff.afterFailure() == 500ms);
}

TEST_CASE("a rejection waits the maximum") {
    CHECK(withChance(0.0).afterRejection() == 60s);
}

TEST_CASE("a maximum below the first limit rules") {
    BackOff backOff({.first = 500ms, .most = 100ms}, [] { return 1.0; });
    CHECK(backOff.afterFailure() == 100ms);
    CHECK(backOff.afterLoss(60s) == 100ms);
}

TEST_CASE("the system's chance stays within its bounds and moves") {
    const auto chance = BackOff::systemChance();
    const double first = chance();
    bool moved = false;
    for (int i = 0; i < 100; ++i) {
        const double next = chance();
        CHECK(next >= 0.0);
        CHECK(next < 1.0);
        moved = moved || next != first;
    }
    CHECK(moved);
}
