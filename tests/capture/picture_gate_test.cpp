#include "capture/picture_gate.hpp"

#include <doctest/doctest.h>

using namespace edgecam;
using namespace edgecam::capture;

namespace {

/// How many of ten seconds of pictures pass.
int passed(PictureGate& gate, double rate, Microseconds jitter = Microseconds(0)) {
    int count = 0;
    for (int i = 0; i < static_cast<int>(rate * 10); ++i) {
        const auto even = Microseconds(static_cast<std::int64_t>(i * 1e6 / rate));
        if (gate.pass(even + (i % 2 ? jitter : -jitter))) ++count;
    }
    return count;
}

}  // namespace

TEST_CASE("without a limit everything passes") {
    PictureGate gate;
    CHECK(passed(gate, 30) == 300);
}

TEST_CASE("30 pictures a second become 10, jitter or not") {
    PictureGate gate;
    gate.limit(10);
    CHECK(passed(gate, 30) == 100);
    gate.limit(10);
    CHECK(passed(gate, 30, Microseconds(8000)) == doctest::Approx(100).epsilon(0.02));
}

TEST_CASE("rates that do not divide come out right on average") {
    PictureGate gate;
    gate.limit(12);
    CHECK(passed(gate, 30) == doctest::Approx(120).epsilon(0.03));
    gate.limit(25);
    CHECK(passed(gate, 30) == doctest::Approx(250).epsilon(0.03));
}

TEST_CASE("a limit above the rate changes nothing") {
    PictureGate gate;
    gate.limit(60);
    CHECK(passed(gate, 30, Microseconds(5000)) == 300);
}

TEST_CASE("after a gap the next picture passes at once and none are made up for") {
    PictureGate gate;
    gate.limit(10);
    CHECK(gate.pass(Microseconds(0)));
    CHECK(gate.pass(std::chrono::seconds(5)));
    CHECK_FALSE(gate.pass(std::chrono::seconds(5) + std::chrono::milliseconds(33)));
}

TEST_CASE("time that went far back does not close the gate for ever") {
    PictureGate gate;
    gate.limit(10);
    CHECK(gate.pass(std::chrono::seconds(1000)));
    CHECK(gate.pass(std::chrono::seconds(1)));
}

TEST_CASE("key frames alone all pass, one right behind another picture too") {
    PictureGate gate;
    gate.limit(10);
    CHECK(gate.pass(Microseconds(0)));
    CHECK_FALSE(gate.pass(Microseconds(33'333)));
    CHECK(gate.passAlone(Microseconds(66'667)));
    CHECK(gate.passAlone(Microseconds(1'066'667)));
    CHECK_FALSE(gate.pass(Microseconds(1'100'000)));
    CHECK(gate.pass(Microseconds(1'166'667)));
}

TEST_CASE("key frames that come more often than is asked are thinned") {
    PictureGate gate;
    const auto passed = [&](double rate, Microseconds apart) {
        gate.limit(rate);
        int count = 0;
        for (int i = 0; i < 100; ++i) count += gate.passAlone(i * apart);
        return count;
    };
    CHECK(passed(10, Microseconds(33'333)) == doctest::Approx(34).epsilon(0.03));
    CHECK(passed(0.2, Microseconds(2'000'000)) == doctest::Approx(40).epsilon(0.05));
}
