// The short form of bench/rate_simulation: the real controller, lane and link meter on simulated links. The
// same on every machine, so that a limit is a limit; each has some room above what was measured.
#include <doctest/doctest.h>

#include <cstdlib>
#include <filesystem>
#include <string>

#include "bench/rate_rivals.hpp"
#include "bench/rate_trials.hpp"

using namespace std::chrono_literals;
using namespace edgecam;
using namespace edgecam::bench;

namespace {

std::optional<LinkProfile> sharedTrace(const char* name) {
    const char* const shared = std::getenv("EDGECAM_SHARED");
    const auto path = std::filesystem::path(shared != nullptr ? shared : "../shared") / "traces" / name;
    auto link = tracedLink(path.string());
    if (!link) MESSAGE("skipped: ", path.string(), " is not there");
    return link;
}

}  // namespace

TEST_SUITE("rate simulation") {
    TEST_CASE(
        "5 to 1 Mbit/s: fresh again within 2 s; 1 to 5: used within 12 s; no picture without its base") {
        for (const Microseconds rtt : {0us, Microseconds(40ms), Microseconds(100ms)}) {
            for (const unsigned seed : {1U, 2U, 3U}) {
                CAPTURE(rtt.count());
                CAPTURE(seed);
                const StepFigures figures = stepFigures(ourController(), rtt, seed);
                CHECK(figures.secondsToCalm < 2);
                CHECK(figures.worstDelay < (rtt == 0us ? 800 : 1200));
                CHECK(figures.secondsToEighty < 6);
                CHECK(figures.steadyUse > 0.84);
                CHECK(figures.steadyP95 < 185);
                CHECK(figures.undecodable == 0);
            }
        }
    }

    TEST_CASE("recorded LTE: far more of the link than halving and adding, as fresh") {
        for (const char* name : {"ATT-LTE-driving-2016.up", "Verizon-LTE-short.up"}) {
            const auto link = sharedTrace(name);
            if (!link) continue;
            CAPTURE(name);
            const auto ours = traceFigures(ourController(), *link, 40ms, 1);
            const auto aimd = traceFigures(plainAimd, *link, 40ms, 1);
            CHECK(ours.figures.use > 1.08 * aimd.figures.use);
            CHECK(ours.figures.p95 < 1.1 * aimd.figures.p95);
            CHECK(ours.figures.p95 < 300);
            CHECK(ours.figures.liveAgain < 1.5);
            CHECK(ours.undecodable == 0);
        }
    }

    TEST_CASE("the simulated link carries what it says, and knows its outages") {
        const auto link = steppedLink("", {{0s, 8e6}, {2s, 0}, {4s, 800e3}}, 6s);
        CHECK(link.length() == 6s);
        CHECK(link.usable({0s, 2s}, 10'000) == doctest::Approx(2e6));
        CHECK(link.usable({0s, 2s}, 4'000) == doctest::Approx(1e6));
        const auto outages = link.outages();
        REQUIRE(outages.size() == 1);
        CHECK(outages[0].begin >= 1990ms);
        CHECK(outages[0].begin <= 2s);
        CHECK(outages[0].end >= 4s);
        CHECK(outages[0].end <= 4070ms);
        CHECK_FALSE(tracedLink("/nowhere"));
    }

    TEST_CASE("who knows the future uses nearly all of the link") {
        const StepFigures figures = stepFigures(oracle, 0us, 1);
        CHECK(figures.steadyUse > 0.93);
        CHECK(figures.steadyP95 < 160);
        CHECK(figures.undecodable == 0);
    }
}
