#include <doctest/doctest.h>

#include "agent/quality.hpp"

using namespace edgecam;
using agent::planFor;

namespace {
const capture::EncoderSettings kConfigured{.bitrateKbps = 1500, .size = {}, .frameRate = 0};
const capture::EncoderSettings kInForce{.bitrateKbps = 700, .size = {640, 360}, .frameRate = 10};
}  // namespace

TEST_CASE("presets get smaller from high to low") {
    const auto low = planFor({.mode = "low"}, kConfigured, kInForce);
    const auto medium = planFor({.mode = "medium"}, kConfigured, kInForce);
    const auto high = planFor({.mode = "high"}, kConfigured, kInForce);
    CHECK(low.settings.bitrateKbps < medium.settings.bitrateKbps);
    CHECK(medium.settings.bitrateKbps < high.settings.bitrateKbps);
    CHECK(low.settings.size.width < medium.settings.size.width);
    CHECK(high.settings.size.empty());
    CHECK(low.encoded);
}

TEST_CASE("auto is what the config says, and the camera's own coding will do") {
    const auto plan = planFor({.mode = "auto"}, kConfigured, kInForce);
    CHECK(plan.settings == kConfigured);
    CHECK_FALSE(plan.encoded);
}

TEST_CASE("a custom wish changes what it names and leaves the rest as it is") {
    uplink::SetQuality wish{.mode = "custom"};
    wish.frameRate = 30;
    const auto plan = planFor(wish, kConfigured, kInForce);
    CHECK(plan.settings.frameRate == 30);
    CHECK(plan.settings.bitrateKbps == 700);
    CHECK(plan.settings.size == Size{640, 360});
    CHECK(plan.encoded);
}

TEST_CASE("a range of bitrates holds the one in force within it") {
    uplink::SetQuality wish{.mode = "custom"};
    wish.maxBitrateKbps = 400;
    CHECK(planFor(wish, kConfigured, kInForce).settings.bitrateKbps == 400);
    wish.maxBitrateKbps.reset();
    wish.minBitrateKbps = 900;
    CHECK(planFor(wish, kConfigured, kInForce).settings.bitrateKbps == 900);
}
