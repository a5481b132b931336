#include "agent/watchdog.hpp"

#include <doctest/doctest.h>

using namespace std::chrono_literals;
using namespace edgecam;
using namespace edgecam::agent;

namespace {

/// A main loop that looks every five seconds of a clock that a test holds.
struct Looks {
    Monotonic now{1h};
    Standstills standstills;
    std::vector<std::string> after(Microseconds passed, const std::vector<Heartbeat::Sign>& signs) {
        now += passed;
        return standstills.look(signs, now);
    }
};

Heartbeat::Sign sign(std::uint64_t id, const char* name, std::uint64_t turns, bool resting = false) {
    return {.id = id, .name = name, .turns = turns, .resting = resting};
}

}  // namespace

TEST_CASE("loops that turn are no reason, however slowly they do") {
    Looks looks;
    for (std::uint64_t turn = 0; turn < 100; ++turn) {
        CHECK(looks.after(5s, {sign(1, "journal", turn / 3), sign(2, "vision", turn)}).empty());
    }
}

TEST_CASE("a loop that stands still is named after 20 s, and no more once it turns") {
    Looks looks;
    CHECK(looks.after(5s, {sign(1, "journal", 7), sign(2, "vision", 0)}).empty());
    for (std::uint64_t look = 1; look <= 3; ++look)
        CHECK(looks.after(5s, {sign(1, "journal", 7), sign(2, "vision", look)}).empty());
    const std::vector<std::string> journal{"journal"};
    CHECK(looks.after(5s, {sign(1, "journal", 7), sign(2, "vision", 4)}) == journal);
    CHECK(looks.after(5s, {sign(1, "journal", 7), sign(2, "vision", 5)}) == journal);
    CHECK(looks.after(5s, {sign(1, "journal", 8), sign(2, "vision", 6)}).empty());
}

TEST_CASE("a loop that rests may stand still for ever, and its time begins when the rest ends") {
    Looks looks;
    for (int look = 0; look < 100; ++look) CHECK(looks.after(5s, {sign(1, "uplink-0", 7, true)}).empty());
    for (int look = 0; look < 3; ++look) CHECK(looks.after(5s, {sign(1, "uplink-0", 7)}).empty());
    CHECK(looks.after(5s, {sign(1, "uplink-0", 7)}) == std::vector<std::string>{"uplink-0"});
}

TEST_CASE("a loop that ends and another that begins owe nothing to each other") {
    Looks looks;
    for (int look = 0; look < 4; ++look) CHECK(looks.after(5s, {sign(1, "vision", 7)}).empty());
    CHECK(looks.after(5s, {sign(2, "vision", 7)}).empty());
    CHECK(looks.after(5s, {}).empty());
    CHECK(looks.after(5s, {sign(1, "vision", 7)}).empty());
}

TEST_CASE("a process that stood still as a whole is not told of its threads") {
    Looks looks;
    CHECK(looks.after(5s, {sign(1, "journal", 7)}).empty());
    CHECK(looks.after(10min, {sign(1, "journal", 7)}).empty());
    CHECK(looks.after(5s, {sign(1, "journal", 8)}).empty());
}

TEST_CASE("the trouble is a sentence, and a pipeline that does not end within 20 s is one") {
    CHECK(troubleOf({}, std::nullopt).empty());
    CHECK(troubleOf({}, 19s).empty());
    CHECK(troubleOf({}, 21s) == "a pipeline cannot be ended since 21 s");
    CHECK(troubleOf({"journal", "vision"}, std::nullopt) == "these threads stand still: journal, vision");
    CHECK(troubleOf({"journal"}, 25s) ==
          "these threads stand still: journal; a pipeline cannot be ended since 25 s");
}
