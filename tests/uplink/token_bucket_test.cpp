#include "uplink/token_bucket.hpp"

#include <doctest/doctest.h>

using namespace std::chrono_literals;
using edgecam::Monotonic;
using edgecam::uplink::TokenBucket;

TEST_CASE("a burst passes at once, then only the rate") {
    Monotonic now{};
    TokenBucket bucket(10, 100, now);
    CHECK(bucket.take(100, now));
    CHECK_FALSE(bucket.take(1, now));
    now += 1s;
    CHECK(bucket.take(10, now));
    CHECK_FALSE(bucket.take(1, now));
}

TEST_CASE("who asks too often still gets the rate") {
    Monotonic now{};
    TokenBucket bucket(10, 1, now);
    int passed = 0;
    for (int i = 0; i < 400; ++i, now += 5ms) passed += bucket.takeIfThere(1, now) ? 1 : 0;
    CHECK(passed >= 20);
    CHECK(passed <= 21);
}

TEST_CASE("what is not used is saved up to the burst") {
    Monotonic now{};
    TokenBucket bucket(10, 100, now);
    CHECK(bucket.take(100, now));
    now += 1h;
    CHECK(bucket.take(100, now));
    CHECK_FALSE(bucket.take(1, now));
}

TEST_CASE("it tells how long to wait for what is not there yet") {
    Monotonic now{};
    TokenBucket bucket(10, 100, now);
    CHECK(bucket.timeTo(100, now) == 0us);
    CHECK(bucket.take(95, now));
    const auto wait = bucket.timeTo(10, now);
    CHECK(wait > 499ms);
    CHECK(wait < 501ms);
    CHECK(bucket.timeTo(5, now) == 0us);
    CHECK(bucket.takeIfThere(10, now + wait));
}

TEST_CASE("a refusal takes nothing from later") {
    Monotonic now{};
    TokenBucket bucket(10, 100, now);
    CHECK_FALSE(bucket.take(1000, now));
    now += 1s;
    CHECK(bucket.take(10, now));
}
