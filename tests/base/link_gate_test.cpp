#include "base/link_gate.hpp"

#include <doctest/doctest.h>

using namespace edgecam;

TEST_CASE("at first a link takes everything, then no more than it said, what is on its way included") {
    LinkGate gate;
    gate.waits(1'000'000);
    CHECK(gate.takes());
    gate.allow(1000);
    CHECK_FALSE(gate.takes());
    CHECK_FALSE(gate.takes());
    CHECK(gate.takeRefused() == 2);
    CHECK(gate.takeRefused() == 0);
    gate.waits(900);
    CHECK(gate.takes());
    gate.coded(200);
    CHECK_FALSE(gate.takes());
    gate.waits(0);
    CHECK(gate.takes());
    CHECK(gate.takeRefused() == 1);
}
