#include "uplink/access.hpp"

#include <doctest/doctest.h>

#include "base/log.hpp"
#include "tests/support/fake_clock.hpp"
#include "tests/uplink/signing_key.hpp"

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

TEST_CASE("a signed token that was revoked stays so however its signature is written") {
    const FakeClock clock;
    const auto signer = test::SigningKey::es256();
    const auto end = std::chrono::duration_cast<std::chrono::seconds>(clock.utc().time_since_epoch()).count();
    const auto tokenOf = [&](const char* id) {
        return signer.sign(edgecam::concat(R"({"aud":"a","exp":)", end + 600, R"(,"jti":")", id, "\"}"));
    };
    const AccessRules rules{
        .tokens = {},
        .keys =
            {{.name = "k", .publicKey = signer.publicKey(), .audience = "a", .issuer = {}, .cameras = {}}},
        .revoked = {}};
    const std::string first = tokenOf("1");
    const std::string twin = test::twinOf(first);
    REQUIRE(twin != first);
    Access access(rules, clock);
    const auto grant = access.check(first);
    const auto other = access.check(twin);
    REQUIRE(grant);
    REQUIRE(other);

    REQUIRE(access.revoke(*grant));
    CHECK_FALSE(access.check(first));
    CHECK_FALSE(access.check(twin));
    CHECK_FALSE(access.renew(*other));
    CHECK(access.check(tokenOf("2")));

    // What an agent kept that knew a token by the whole of it.
    AccessRules older = rules;
    older.revoked = {{TokenHash::of(first), {}}};
    CHECK_FALSE(Access(older, clock).check(first));
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
