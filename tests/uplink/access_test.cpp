#include "uplink/access.hpp"

#include <doctest/doctest.h>

#include "tests/support/fake_clock.hpp"

using namespace edgecam::uplink;
using edgecam::test::FakeClock;

TEST_CASE("a token is what its rule says, and nothing else is anything") {
    const FakeClock clock;
    const Access access({.tokens = {TokenRule::of("abc", Role::viewer), TokenRule::of("abcd", Role::admin),
                                    TokenRule::of("door", Role::operator_, {"door"})}},
                        clock);
    CHECK(access.check("abc")->role == Role::viewer);
    CHECK(access.check("abcd")->role == Role::admin);
    CHECK(access.check("door")->cameras == std::vector<std::string>{"door"});
    for (const char* wrong : {"", "ab", "abcde", "ABC", "abcabc", "doorx", "abc "}) {
        CAPTURE(wrong);
        CHECK_FALSE(access.check(wrong));
    }
    CHECK_FALSE(access.check(std::string_view("abc\0", 4)));
}

TEST_CASE("an empty token in the rules lets nobody in") {
    const FakeClock clock;
    const Access access({.tokens = {TokenRule::of("", Role::admin)}}, clock);
    CHECK_FALSE(access.check(""));
    CHECK_FALSE(access.check("x"));
    CHECK_FALSE(Access({}, clock).check(""));
}

TEST_CASE("each role may do what the one below may, and no more than its own") {
    struct Row {
        Deed deed;
        bool viewer, operator_, admin;
    };
    for (const Row& row :
         {Row{Deed::watch, true, true, true}, Row{Deed::choosePreset, true, true, true},
          Row{Deed::tuneFreely, false, true, true}, Row{Deed::switchCamera, false, true, true},
          Row{Deed::administer, false, false, true}}) {
        CAPTURE(static_cast<int>(row.deed));
        CHECK(allows(Role::viewer, row.deed) == row.viewer);
        CHECK(allows(Role::operator_, row.deed) == row.operator_);
        CHECK(allows(Role::admin, row.deed) == row.admin);
    }
}

TEST_CASE("a deed that the table does not list is nobody's") {
    CHECK_FALSE(allows(Role::admin, static_cast<Deed>(99)));
}

TEST_CASE("a grant without cameras covers all, one with cameras only those") {
    CHECK(Grant{Role::viewer, {}}.covers("any"));
    const Grant bound{Role::admin, {"door", "yard"}};
    CHECK(bound.covers("yard"));
    CHECK_FALSE(bound.covers("cam_123"));
    CHECK_FALSE(bound.covers("*"));
    CHECK_FALSE(bound.covers(""));
}

TEST_CASE("roles have names both ways") {
    for (const Role role : {Role::viewer, Role::operator_, Role::admin})
        CHECK(roleNamed(nameOf(role)) == role);
    CHECK_FALSE(roleNamed("root"));
    CHECK_FALSE(roleNamed(""));
}
