// How often the cameras are looked at where there is not enough of the box for everything.
#include "agent/analysis_pace.hpp"

#include <doctest/doctest.h>

using namespace std::chrono_literals;
using namespace edgecam;
using agent::AnalysisLoad;
using agent::AnalysisPace;
using agent::BoxPressure;

namespace {

/// A box where a picture costs `perPicture` seconds to look through and video takes `streaming` cores.
struct Box {
    AnalysisPace pace;
    double streaming = 0;
    double perPicture = 0.05;
    int cameras = 1;
    BoxPressure pressure{.waiting = 0.0, .hot = {}};
    Monotonic now{1s};
    int told = 0;

    void run(Microseconds time) {
        for (const Monotonic end = now + time; now < end; now += 1s) {
            const double pictures = pace.rateHz() * cameras;
            const double analysis = pictures * perPicture;
            told += pace.look({streaming + analysis, analysis, pictures, cameras}, pressure, now) ? 1 : 0;
        }
    }
    /// Cores that the agent takes.
    [[nodiscard]] double used() const { return streaming + pace.rateHz() * cameras * perPicture; }
};

}  // namespace

TEST_CASE("with enough of everything, and without a budget, the config's wish is in force") {
    Box box{AnalysisPace(10, 0)};
    box.streaming = 7;
    box.run(60s);
    CHECK(box.pace.rateHz() == 10);
    CHECK(box.pace.reason().empty());
    CHECK(box.told == 0);
}

TEST_CASE("analysis gets what video leaves of the budget, however many cameras share it") {
    for (const int cameras : {1, 4}) {
        Box box{AnalysisPace(10, 1.0)};
        box.cameras = cameras;
        box.streaming = 0.7;
        box.run(60s);
        CHECK(box.used() < 1.1);
        CHECK(box.used() > 0.9);
        CHECK(box.pace.reason().find("70 % of a processor core, of the 100 %") != std::string::npos);
        CHECK(box.told <= 2);
    }
}

TEST_CASE("video that needs all of the budget leaves the slowest pace, and what it gives back is used") {
    Box box{AnalysisPace(10, 1.0)};
    box.streaming = 3;
    box.run(60s);
    CHECK(box.pace.rateHz() == AnalysisPace::kLeastHz);
    box.streaming = 0.2;
    box.run(60s);
    CHECK(box.pace.rateHz() == 10);
    CHECK(box.pace.reason().empty());
}

TEST_CASE("a wish that is slower than the slowest pace stays") {
    Box box{AnalysisPace(0.1, 1.0)};
    box.streaming = 3;
    box.pressure.hot = "soc is at 90 °C: the box is too hot";
    box.run(60s);
    CHECK(box.pace.rateHz() == 0.1);
    CHECK(box.pace.reason().empty());
}

TEST_CASE("a hot box is looked at by half at once, and by half again while it stays hot") {
    Box box{AnalysisPace(8, 0)};
    box.pressure.hot = "soc is at 90 °C: the box is too hot";
    box.run(1s);
    CHECK(box.pace.rateHz() == 4);
    CHECK(box.pace.reason() == box.pressure.hot);
    box.run(4s);
    CHECK(box.pace.rateHz() == 4);
    box.run(1s);
    CHECK(box.pace.rateHz() == 2);
    box.run(120s);
    CHECK(box.pace.rateHz() == doctest::Approx(AnalysisPace::kLeastHz));
}

TEST_CASE("once it is cool the pace goes up slowly, to the wish and no further") {
    Box box{AnalysisPace(8, 0)};
    box.pressure.hot = "soc is at 90 °C: the box is too hot";
    box.run(7s);
    REQUIRE(box.pace.rateHz() == 2);
    box.pressure.hot.clear();
    box.run(8s);
    CHECK(box.pace.rateHz() == 2);
    box.run(2s);
    CHECK(box.pace.rateHz() == 2.5);
    CHECK(box.pace.reason() == "the box was too hot and has not been cool for long");
    box.run(120s);
    CHECK(box.pace.rateHz() == 8);
    CHECK(box.pace.reason().empty());
}

TEST_CASE("threads that wait for a processor slow the analysis, some that do keep it from going up") {
    Box box{AnalysisPace(8, 0)};
    box.pressure.waiting = 0.6;
    box.run(1s);
    CHECK(box.pace.rateHz() == 4);
    CHECK(box.pace.reason().find("wait for a processor") != std::string::npos);
    box.pressure.waiting = 0.4;
    box.run(60s);
    CHECK(box.pace.rateHz() == 4);
    box.pressure.waiting = 0.1;
    box.run(60s);
    CHECK(box.pace.rateHz() == 8);
}

TEST_CASE("a kernel that says nothing is no pressure") {
    Box box{AnalysisPace(8, 0)};
    box.pressure.waiting.reset();
    box.run(60s);
    CHECK(box.pace.rateHz() == 8);
}

TEST_CASE("figures that tremble are not told each second") {
    Box box{AnalysisPace(10, 1.0)};
    box.streaming = 0.6;
    box.run(30s);
    const int before = box.told;
    for (int i = 0; i < 60; ++i) {
        box.streaming = i % 2 == 0 ? 0.58 : 0.62;
        box.run(1s);
    }
    CHECK(box.told - before <= 1);
}
