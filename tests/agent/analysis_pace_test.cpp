// How often the cameras are looked at, and in how large pictures, where there is not enough of the box for
// everything.
#include "agent/analysis_pace.hpp"

#include <doctest/doctest.h>

#include <algorithm>

using namespace std::chrono_literals;
using namespace edgecam;
using agent::AnalysisLoad;
using agent::AnalysisPace;
using agent::BoxPressure;

namespace {

constexpr Size kWhole{640, 360};
constexpr Size kMedium{480, 270};
constexpr Size kSmall{320, 180};

/// A box where a picture of kWhole costs `perPicture` seconds to look through and video takes `streaming`
/// cores.
struct Box {
    explicit Box(double wishedHz, double budget, Size wished = kWhole)
        : pace(wishedHz, wished, budget), wishedSize(wished) {}

    AnalysisPace pace;
    Size wishedSize;
    double streaming = 0;
    double perPicture = 0.05;
    int cameras = 1;
    int busy = 1000;  ///< of them, at most
    BoxPressure pressure{.waiting = 0.0, .hot = {}};
    Monotonic now{1s};
    int told = 0;

    void run(Microseconds time) {
        for (const Monotonic end = now + time; now < end; now += 1s) {
            const double wanted = pace.rateHz() * std::min(busy, cameras);
            const double pictures = std::min(wanted, 1 / cost());  // by one thread
            const double analysis = pictures * cost();
            told += pace.look({.agent = streaming + analysis,
                               .analysis = analysis,
                               .pictures = pictures,
                               .skipped = wanted - pictures,
                               .cameras = cameras},
                              pressure, now)
                        ? 1
                        : 0;
        }
    }
    /// Cores that the agent takes.
    [[nodiscard]] double used() const { return streaming + pace.rateHz() * cameras * cost(); }
    /// Of a picture: a bit more than its pixels say, as it really is.
    [[nodiscard]] double cost() const {
        const double part = static_cast<double>(pace.size().width) / wishedSize.width;
        return perPicture * (0.95 * part * part + 0.05);
    }
};

}  // namespace

TEST_CASE("with enough of everything, and without a budget, the config's wish is in force") {
    Box box(10, 0);
    box.streaming = 7;
    box.run(60s);
    CHECK(box.pace.rateHz() == 10);
    CHECK(box.pace.size() == kWhole);
    CHECK(box.pace.reason().empty());
    CHECK(box.told == 0);
}

TEST_CASE("analysis gets what video leaves of the budget, however many cameras share it") {
    for (const int cameras : {1, 4}) {
        Box box(10, 1.0);
        box.cameras = cameras;
        box.streaming = 0.7;
        box.run(60s);
        CHECK(box.used() < 1.1);
        CHECK(box.used() > 0.9);
        CHECK(box.pace.reason().find("70 % of a processor core, of the 100 %") != std::string::npos);
        CHECK(box.told <= 4);
    }
}

TEST_CASE("pictures are fewer first, then smaller, then fewer again, and larger first when there is room") {
    Box box(10, 1.0);
    const auto at = [&](double left) {
        box.streaming = 1 - left;
        box.run(60s);
        CAPTURE(left);
        CHECK(box.used() < 1.1);
        return box.pace.size();
    };
    // A picture takes 0.05 s: 0.2 s are 4 a second.
    CHECK(at(0.4) == kWhole);
    CHECK(at(0.22) == kWhole);
    CHECK(box.pace.rateHz() == doctest::Approx(4.4).epsilon(0.1));
    CHECK(at(0.16) == kMedium);
    CHECK(box.pace.rateHz() == doctest::Approx(5.5).epsilon(0.1));
    CHECK(at(0.1) == kSmall);
    CHECK(box.pace.rateHz() == doctest::Approx(7).epsilon(0.1));
    CHECK(at(0.03) == kSmall);
    CHECK(box.pace.rateHz() == doctest::Approx(2.1).epsilon(0.1));
    CHECK(at(0.18) == kMedium);
    CHECK(at(0.22) == kMedium);  // some room is kept, or the size would change to and fro
    CHECK(at(0.32) == kWhole);
    CHECK(at(0.6) == kWhole);
    CHECK(box.pace.rateHz() == 10);
    CHECK(box.pace.reason().empty());
}

TEST_CASE("more cameras than one thread can look through are looked at less, without any budget too") {
    for (const double budget : {0.0, 6.0}) {
        Box box(10, budget);
        box.streaming = 2;
        box.cameras = 4;
        box.run(60s);
        CHECK(box.pace.size() == kWhole);
        CHECK(box.pace.rateHz() == doctest::Approx(4.75).epsilon(0.1));
        CHECK(box.pace.reason() == "the processor core that all cameras share for it is busy");
        CHECK(box.told <= 2);
        box.cameras = 12;
        box.run(60s);
        CHECK(box.pace.size() == kSmall);
        CHECK(box.used() - box.streaming < 1);
        box.cameras = 1;
        box.run(60s);
        CHECK(box.pace.rateHz() == 10);
        CHECK(box.pace.reason().empty());
    }
}

TEST_CASE("cameras before which nothing moves leave the others the thread, but not a budget") {
    Box box(10, 0);
    box.cameras = 16;
    box.busy = 1;
    box.run(60s);
    CHECK(box.told == 0);
    box.busy = 0;
    box.run(60s);
    CHECK(box.told == 0);
    Box within(10, 1.0);
    within.cameras = 16;
    within.busy = 1;
    within.run(60s);
    CHECK(within.used() < 1.1);  // should all be busy
}

TEST_CASE("far faces: what is analysed in more than 640x360 has more sizes, in less than 320 none") {
    const auto smallest = [](Size wished) {
        Box box(10, 1.0, wished);
        box.streaming = 3;
        box.run(60s);
        CHECK(box.pace.rateHz() == AnalysisPace::kLeastHz);
        return box.pace.size();
    };
    CHECK(smallest({1280, 720}) == kSmall);
    CHECK(smallest({640, 480}) == Size{320, 240});
    CHECK(smallest({360, 640}) == Size{180, 320});
    CHECK(smallest({416, 416}) == Size{416, 416});
    CHECK(smallest({300, 200}) == Size{300, 200});
    CHECK(smallest({2000, 40}) == Size{2000, 40});
}

TEST_CASE("video that needs all of the budget leaves the slowest pace, and what it gives back is used") {
    Box box(10, 1.0);
    box.streaming = 3;
    box.run(60s);
    CHECK(box.pace.rateHz() == AnalysisPace::kLeastHz);
    CHECK(box.pace.size() == kSmall);
    box.streaming = 0.2;
    box.run(60s);
    CHECK(box.pace.rateHz() == 10);
    CHECK(box.pace.size() == kWhole);
    CHECK(box.pace.reason().empty());
}

TEST_CASE("a wish that is slower than the slowest pace stays, in smaller pictures") {
    Box box(0.1, 1.0);
    box.streaming = 3;
    box.pressure.hot = "soc is at 90 °C: the box is too hot";
    box.run(60s);
    CHECK(box.pace.rateHz() == 0.1);
    CHECK(box.pace.size() == kSmall);
    CHECK(box.pace.reason() == box.pressure.hot);
    box.pressure.hot.clear();
    box.streaming = 0;
    box.run(120s);
    CHECK(box.pace.size() == kWhole);
    CHECK(box.pace.reason().empty());
}

TEST_CASE("a hot box does half of the work at once, and half again while it stays hot") {
    Box box(8, 0);
    box.pressure.hot = "soc is at 90 °C: the box is too hot";
    box.run(1s);
    CHECK(box.pace.rateHz() == 4);
    CHECK(box.pace.size() == kWhole);
    CHECK(box.pace.reason() == box.pressure.hot);
    box.run(4s);
    CHECK(box.pace.rateHz() == 4);
    box.run(1s);
    CHECK(box.pace.rateHz() == 8);  // of a quarter of the pixels
    CHECK(box.pace.size() == kSmall);
    box.run(5s);
    CHECK(box.pace.rateHz() == 4);
    box.run(29s);  // 40 s in all
    CHECK(box.pace.rateHz() == doctest::Approx(AnalysisPace::kLeastHz));
    CHECK(box.pace.size() == kSmall);
}

TEST_CASE("once it is cool the pace goes up slowly, to the wish and no further") {
    Box box(8, 0);
    box.pressure.hot = "soc is at 90 °C: the box is too hot";
    box.run(7s);
    REQUIRE(box.pace.size() == kSmall);
    box.pressure.hot.clear();
    box.run(8s);
    CHECK(box.pace.size() == kSmall);
    box.run(20s);
    CHECK(box.pace.size() == kMedium);  // 2 · 1.25² of the 8 pictures
    CHECK(box.pace.rateHz() == 5.6);
    CHECK(box.pace.reason() == "the box was too hot and has not been cool for long");
    box.run(120s);
    CHECK(box.pace.rateHz() == 8);
    CHECK(box.pace.size() == kWhole);
    CHECK(box.pace.reason().empty());
}

TEST_CASE("threads that wait for a processor slow the analysis, some that do keep it from going up") {
    Box box(8, 0);
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
    Box box(8, 0);
    box.pressure.waiting.reset();
    box.run(60s);
    CHECK(box.pace.rateHz() == 8);
}

TEST_CASE("figures that tremble are not told each second") {
    Box box(10, 1.0);
    box.streaming = 0.6;
    box.run(30s);
    const int before = box.told;
    for (int i = 0; i < 60; ++i) {
        box.streaming = i % 2 == 0 ? 0.55 : 0.65;
        box.run(1s);
    }
    CHECK(box.told - before <= 1);
}

TEST_CASE(
    "a budget that is exceeded is kept within seconds, and the first seconds of a program are not judged") {
    Box box(10, 1.0);
    box.streaming = 3;  // it starts
    box.run(2s);
    box.streaming = 0.2;
    box.run(30s);
    CHECK(box.told == 0);
    box.streaming = 0.8;
    box.run(8s);
    CHECK(box.used() < 1.1);
}
