#include "capture/rendition_plan.hpp"

#include <doctest/doctest.h>

using namespace edgecam;
using namespace edgecam::capture;

namespace {

EncoderSettings rate(int kbps) {
    return {.bitrateKbps = kbps, .size = {}, .frameRate = 0};
}
const std::vector<std::optional<EncoderSettings>> kTwoFree(2);

}  // namespace

TEST_CASE("nobody wishes anything: nothing is encoded") {
    const auto plan = planRenditions({}, kTwoFree);
    CHECK(plan.slotOf.empty());
    CHECK_FALSE(plan.slots[0]);
    CHECK_FALSE(plan.slots[1]);
}

TEST_CASE("equal wishes share an encode, different ones have their own") {
    const auto plan = planRenditions({{rate(500), 0, {}}, {rate(2000), 0, {}}, {rate(500), 1, {}}}, kTwoFree);
    CHECK(plan.slotOf[0] == plan.slotOf[2]);
    CHECK(plan.slotOf[0] != plan.slotOf[1]);
    CHECK(plan.slots[plan.slotOf[0]] == rate(500));
    CHECK(plan.slots[plan.slotOf[1]] == rate(2000));
}

TEST_CASE("one that changes its wish alone changes its own encode") {
    const auto plan = planRenditions({{rate(900), 0, 1}, {rate(2000), 0, 0}}, {rate(2000), rate(1000)});
    CHECK(plan.slotOf == std::vector<std::size_t>{1, 0});
    CHECK(plan.slots[1] == rate(900));
}

TEST_CASE("one of several who changes its wish goes, the others stay") {
    const auto plan =
        planRenditions({{rate(900), 2, 0}, {rate(2000), 0, 0}, {rate(2000), 0, 0}}, {rate(2000), {}});
    CHECK(plan.slotOf == std::vector<std::size_t>{1, 0, 0});
    CHECK(plan.slots[0] == rate(2000));
    CHECK(plan.slots[1] == rate(900));
}

TEST_CASE("who wants what others have comes to them") {
    const auto plan =
        planRenditions({{rate(2000), 2, 1}, {rate(2000), 0, 0}, {rate(2000), 0, 0}}, {rate(2000), rate(900)});
    CHECK(plan.slotOf[1] == plan.slotOf[0]);
    CHECK(plan.slotOf[2] == plan.slotOf[0]);
    CHECK_FALSE(plan.slots[1 - plan.slotOf[0]]);
}

TEST_CASE("where there are too few, a late wish changes nobody's picture") {
    const std::vector<std::optional<EncoderSettings>> inForce{rate(2000), rate(600)};
    const auto plan = planRenditions(
        {{rate(2000), 0, 0}, {rate(600), 0, 1}, {rate(1000), 0, {}}, {rate(1000), 0, {}}}, inForce);
    CHECK(plan.slots == inForce);
    SUBCASE("it is served by the best that asks no more of its link") {
        CHECK(plan.slotOf[2] == 1);
    }
    SUBCASE("or by the smallest") {
        const auto less =
            planRenditions({{rate(2000), 0, 0}, {rate(600), 0, 1}, {rate(100), 0, {}}}, inForce);
        CHECK(less.slots == inForce);
        CHECK(less.slotOf[2] == 1);
    }
}

TEST_CASE("a higher rank takes a place from a lower one") {
    const auto plan =
        planRenditions({{rate(2000), 0, 0}, {rate(600), 1, 1}, {rate(1000), 1, {}}}, {rate(2000), rate(600)});
    CHECK(plan.slots[plan.slotOf[1]] == rate(600));
    CHECK(plan.slots[plan.slotOf[2]] == rate(1000));
    CHECK(plan.slotOf[1] == 1);
    CHECK(plan.slotOf[0] == plan.slotOf[2]);
}

TEST_CASE("one encode serves all") {
    const auto plan =
        planRenditions({{rate(2000), 0, 0}, {rate(600), 0, 0}, {rate(3000), 0, 0}}, {rate(2000)});
    CHECK(plan.slotOf == std::vector<std::size_t>{0, 0, 0});
    CHECK(plan.slots[0] == rate(2000));
}
