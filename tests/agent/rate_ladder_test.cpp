#include "agent/rate_ladder.hpp"

#include <doctest/doctest.h>

using namespace edgecam;
using namespace std::chrono_literals;
using agent::LadderTop;
using agent::RateLadder;
using capture::EncoderSettings;

namespace {

const LadderTop kTop{
    .settings = {.bitrateKbps = 2000, .size = {}, .frameRate = 0}, .source = {1280, 720}, .sourceRate = 30};

struct Bench {
    RateLadder ladder;
    Monotonic now{1s};
    LadderTop top = kTop;

    /// What it says after the link has carried so much for so long.
    EncoderSettings carried(int kbps, Microseconds span) {
        EncoderSettings last;
        for (const Monotonic end = now + span; now < end; now += 100ms) last = ladder.fit(top, kbps, now);
        return last;
    }
};

double bitsPerPixel(const EncoderSettings& settings) {
    const Size size = settings.size.empty() ? kTop.source : settings.size;
    const double rate = settings.frameRate > 0 ? settings.frameRate : kTop.sourceRate;
    return settings.bitrateKbps * 1000.0 / (size.width * size.height * rate);
}

}  // namespace

TEST_CASE("a link that carries it all changes nothing, so that others may share") {
    Bench bench;
    CHECK(bench.carried(2000, 1s) == kTop.settings);
    CHECK(bench.carried(9000, 1s) == kTop.settings);
}

TEST_CASE("a thinner link lowers the bitrate at once, and alone") {
    Bench bench;
    const auto less = bench.carried(1500, 100ms);
    CHECK(less.bitrateKbps <= 1500);
    CHECK(less.bitrateKbps >= 1440);
    CHECK(less.size == kTop.settings.size);
    CHECK(less.frameRate == 0);
}

TEST_CASE("small changes are none") {
    Bench bench;
    const auto before = bench.carried(1000, 100ms);
    CHECK(bench.carried(1001, 100ms) == before);
}

TEST_CASE("too few bits for each pixel: fewer pictures, then smaller ones, a second later") {
    Bench bench;
    CHECK(bench.carried(600, 900ms).frameRate == 0);
    const auto fewer = bench.carried(600, 500ms);
    CHECK(fewer.frameRate == doctest::Approx(15));
    CHECK(fewer.size == kTop.settings.size);
    const auto smaller = bench.carried(200, 2s);
    CHECK(smaller.size.width < 1280);
    CHECK(smaller.frameRate == doctest::Approx(15));
    CHECK(bitsPerPixel(smaller) >= 0.9 * RateLadder::kLeastBits);
    const auto least = bench.carried(5, 2s);
    CHECK(least.frameRate == doctest::Approx(0.5));
    CHECK(least.bitrateKbps >= 1);
}

TEST_CASE("up again rung by rung, each when it would have done for ten seconds") {
    Bench bench;
    bench.carried(200, 2s);
    const auto low = bench.carried(2000, 5s);
    CHECK(low.size.width < 1280);
    bench.carried(2000, 60s);
    CHECK(bench.carried(2000, 100ms) == kTop.settings);
}

TEST_CASE("a link that swings does not change the size with it") {
    Bench bench;
    bench.carried(200, 2s);
    const auto low = bench.carried(200, 100ms);
    for (int swing = 0; swing < 10; ++swing) {
        CHECK(bench.carried(1500, 3s).size == low.size);
        CHECK(bench.carried(200, 500ms).size == low.size);
    }
}

TEST_CASE("the wish's own least is kept, whatever the link says") {
    Bench bench;
    bench.top.leastKbps = 800;
    CHECK(bench.carried(100, 5s).bitrateKbps >= 770);
}

TEST_CASE("who configured little is content with few bits") {
    Bench bench;
    bench.top.settings.bitrateKbps = 500;
    CHECK(bench.carried(400, 5s).frameRate == 0);
}
