#include "base/heartbeat.hpp"

#include <doctest/doctest.h>

#include <memory>

using namespace edgecam;

namespace {

/// Of loops that a test has begun, by name.
std::vector<Heartbeat::Sign> named(const std::string& name) {
    auto signs = Heartbeat::all();
    std::erase_if(signs, [&](const auto& sign) { return sign.name != name; });
    return signs;
}

}  // namespace

TEST_CASE("a loop is in the list while it runs, and its turns are counted") {
    CHECK(named("one").empty());
    {
        Heartbeat heart("one");
        heart.beat();
        heart.beat();
        REQUIRE(named("one").size() == 1);
        CHECK(named("one")[0].turns == 2);
        CHECK_FALSE(named("one")[0].resting);
    }
    CHECK(named("one").empty());
}

TEST_CASE("loops of one name are told apart, also when one begins where another has ended") {
    auto first = std::make_unique<Heartbeat>("two");
    const Heartbeat second("two");
    const auto signs = named("two");
    REQUIRE(signs.size() == 2);
    CHECK(signs[0].id != signs[1].id);
    first = nullptr;
    first = std::make_unique<Heartbeat>("two");
    CHECK(named("two")[1].id != signs[0].id);
}

TEST_CASE("a rest is seen while it lasts, and its end is a turn") {
    Heartbeat heart("three");
    {
        const Heartbeat::Rest rest(heart);
        CHECK(named("three")[0].resting);
        CHECK(named("three")[0].turns == 0);
    }
    CHECK_FALSE(named("three")[0].resting);
    CHECK(named("three")[0].turns == 1);
}
