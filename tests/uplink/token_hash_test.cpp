#include "uplink/token_hash.hpp"

#include <doctest/doctest.h>

using namespace edgecam::uplink;

TEST_CASE("a hash knows its token and no other, and does not contain it") {
    const TokenHash hash = TokenHash::of("correct horse");
    CHECK(hash.matches("correct horse"));
    for (const char* wrong : {"", "correct hors", "correct horse ", "Correct horse"})
        CHECK_FALSE(hash.matches(wrong));
    CHECK(hash.text().find("horse") == std::string::npos);
}

TEST_CASE("the salt of the process is one, that of a file is another each time") {
    CHECK(TokenHash::of("a") == TokenHash::of("a"));
    CHECK_FALSE(TokenHash::salted("a") == TokenHash::salted("a"));
    CHECK_FALSE(TokenHash::of("a") == TokenHash::of("b"));
    CHECK(TokenHash::salted("a").matches("a"));
}

TEST_CASE("a hash as text is the same hash again") {
    const TokenHash hash = TokenHash::salted("token");
    const auto read = TokenHash::parse(hash.text());
    REQUIRE(read);
    CHECK(*read == hash);
    CHECK(TokenHash::looksLikeOne(hash.text()));
    CHECK_FALSE(TokenHash::looksLikeOne("token"));
}

TEST_CASE("the hash is SHA-256 of the salt and the token, for whoever makes one elsewhere") {
    // { head -c 32 /dev/zero; printf secret; } | sha256sum
    const auto hash = TokenHash::parse("sha256:" + std::string(64, '0') +
                                       ":edeb6a8da7170f97c6b42cfab338c9c962849910b2c4b48135cac2871e7bf5c0");
    REQUIRE(hash);
    CHECK(hash->matches("secret"));
}

TEST_CASE("what is no hash is refused in words that say how one looks") {
    const std::string good = TokenHash::salted("x").text();
    for (const std::string& wrong :
         {std::string("sha256:"), good.substr(1), good + "0", good.substr(0, good.size() - 1),
          "sha256:" + std::string(129, 'a'), "sha256:" + std::string(64, 'g') + good.substr(71)}) {
        CAPTURE(wrong);
        const auto read = TokenHash::parse(wrong);
        REQUIRE_FALSE(read);
        CHECK(read.error().message.find("sha256:SALT:HASH") != std::string::npos);
    }
}
