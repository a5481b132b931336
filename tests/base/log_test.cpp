#include <doctest/doctest.h>

#include "base/log.hpp"
#include "tests/support/fake_clock.hpp"

using namespace edgecam;
using namespace std::chrono_literals;

TEST_CASE("a throttle lets one line through in its interval and counts what it kept back") {
    test::FakeClock clock;
    LogThrottle throttle(10s);
    CHECK(throttle.ask(clock.monotonic()).write);
    CHECK_FALSE(throttle.ask(clock.monotonic()).write);
    clock.advance(9s);
    CHECK_FALSE(throttle.ask(clock.monotonic()).write);
    clock.advance(1s);
    const auto verdict = throttle.ask(clock.monotonic());
    CHECK(verdict.write);
    CHECK(verdict.keptBack == 2);
}

TEST_CASE("parts are joined into one line") {
    CHECK(concat("camera ", 7, ": ", 1.5, " Mbit/s") == "camera 7: 1.5 Mbit/s");
}
