#include "base/delays.hpp"

#include <doctest/doctest.h>

using namespace edgecam;
using namespace std::chrono_literals;

TEST_CASE("a delay counts at the first bound that it does not exceed") {
    Delays delays;
    delays.add(0us);
    delays.add(100us);
    delays.add(101us);
    delays.add(60s);
    delays.add(61s);
    CHECK(delays.counts.front() == 2);
    CHECK(delays.counts[1] == 1);
    CHECK(delays.counts[Delays::kBounds.size() - 1] == 1);
    CHECK(delays.counts.back() == 1);
    CHECK(delays.count() == 5);
    CHECK(delays.sum == 121s + 201us);
}

TEST_CASE("clocks read on two threads make no time run backwards") {
    Delays delays;
    delays.add(-5ms);
    CHECK(delays.counts.front() == 1);
    CHECK(delays.sum == 0us);
}

TEST_CASE("delays of several are those of each") {
    Delays one;
    Delays two;
    one.add(2ms);
    two.add(2ms);
    two.add(3s);
    one.add(two);
    CHECK(one.count() == 3);
    CHECK(one.counts[4] == 2);
    CHECK(one.sum == 3004ms);
}
