#include "uplink/session_registry.hpp"

#include <doctest/doctest.h>

using namespace edgecam;
using namespace edgecam::uplink;

namespace {

SessionEntry entryOf(SessionId id, const std::string& token, const std::string& instance = "i",
                     const std::string& purpose = "all") {
    return {.id = id,
            .grant = {.role = Role::viewer, .cameras = {}, .token = TokenHash::of(token)},
            .instance = instance,
            .purpose = purpose,
            .use = {}};
}

}  // namespace

TEST_CASE("a newer connection of the same token, instance and purpose takes the older one's place") {
    SessionRegistry registry;
    registry.enter(entryOf(1, "a"));
    registry.enter(entryOf(2, "a", "i", "events"));
    registry.enter(entryOf(3, "a", "other"));
    registry.enter(entryOf(4, "b"));
    registry.enter(entryOf(5, "a", ""));
    registry.enter(entryOf(6, "a", ""));
    for (SessionId id = 1; id <= 6; ++id) CHECK_FALSE(registry.wishFor(id));
    registry.enter(entryOf(7, "a"));
    REQUIRE(registry.wishFor(1));
    CHECK(registry.wishFor(1)->code == 4409);
    for (SessionId id = 2; id <= 7; ++id) CHECK_FALSE(registry.wishFor(id));
    registry.enter(entryOf(7, "a"));  // the same one again, with another grant
    CHECK_FALSE(registry.wishFor(7));
}

TEST_CASE("who is there is listed with what it used, until it leaves") {
    SessionRegistry registry;
    registry.enter(entryOf(2, "a", ""));
    registry.enter(entryOf(1, "a", ""));
    registry.update(2, {.bytesIn = 7, .commands = 3});
    registry.update(9, {.bytesIn = 1});
    const auto list = registry.list();
    REQUIRE(list.size() == 2);
    CHECK(list[0].id == 1);
    CHECK(list[1].use.commands == 3);
    CHECK(registry.end(2, {4411, "why"}));
    CHECK(registry.end(2, {4409, "later"}));
    CHECK(registry.wishFor(2)->code == 4411);
    registry.leave(2);
    CHECK_FALSE(registry.end(2, {4411, "why"}));
    CHECK_FALSE(registry.find(2));
    CHECK(registry.list().size() == 1);
}
