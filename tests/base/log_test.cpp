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

TEST_CASE("the last warnings and errors are remembered, cut short and harmless, whatever is written") {
    startLog(LogLevel::error);
    logError("agent", "a line\nof two, ", std::string(1000, 'x'));
    logInfo("agent", "no trouble");
    const auto lines = recentTroubles();
    REQUIRE_FALSE(lines.empty());
    CHECK(lines.back().level == LogLevel::error);
    CHECK(lines.back().area == "agent");
    CHECK(lines.back().text.starts_with("a line?of two, xxx"));
    CHECK(lines.back().text.size() <= kMostOfLine);
    for (std::size_t i = 0; i < 2 * kRecentLines; ++i) logWarning("uplink", "number ", i);
    REQUIRE(recentTroubles().size() == kRecentLines);
    CHECK(recentTroubles().front().text == concat("number ", kRecentLines));
    CHECK(recentTroubles().back().text == concat("number ", 2 * kRecentLines - 1));
    startLog(LogLevel::info);
}
