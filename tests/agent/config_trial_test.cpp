// A trial as a table: what happens when, and what is to be done then.
#include "agent/config_trial.hpp"

#include <doctest/doctest.h>

#include <functional>
#include <string>
#include <vector>

using namespace edgecam;
using namespace edgecam::agent;
using namespace std::chrono_literals;
using Verdict = ConfigTrial::Verdict;

namespace {

constexpr Monotonic kBegin{1'000'000s};

struct Step {
    Microseconds at;
    std::function<void(ConfigTrial&, Monotonic)> happens;
};
Step confirmed(Microseconds at) {
    return {at, [](ConfigTrial& trial, Monotonic) { trial.confirm("chief"); }};
}
/// `late`: so long after it happened it is heard of.
Step uplink(Microseconds at, const char* id, bool live, Microseconds late = 0s) {
    return {at, [=](ConfigTrial& trial, Monotonic now) { trial.uplinkSeen(id, live, now - late); }};
}

struct Row {
    const char* what;
    std::vector<Step> steps;
    Microseconds lookAt;
    Verdict verdict;
    const char* provedBy;
};

}  // namespace

TEST_CASE("what becomes of a trial of 120 s that begins with the uplink east live and west not") {
    const std::vector<Row> rows{
        {"nothing happens", {}, 119s, Verdict::none, ""},
        {"nothing happens until it is over", {}, 120s, Verdict::revert, ""},
        {"somebody confirms", {confirmed(5s)}, 5s, Verdict::keep, "chief"},
        {"somebody confirms and nobody could write it down", {confirmed(5s)}, 120s, Verdict::revert, "chief"},
        {"two confirm", {uplink(4s, "west", true), confirmed(5s)}, 6s, Verdict::keep, "uplink west"},
        {"an uplink stays live", {uplink(1s, "east", true)}, 119s, Verdict::none, ""},
        {"an uplink is lost", {uplink(1s, "east", false)}, 119s, Verdict::none, ""},
        {"an uplink is live again",
         {uplink(1s, "east", false), uplink(2s, "east", true)},
         2s,
         Verdict::keep,
         "uplink east"},
        {"an uplink becomes live", {uplink(1s, "west", true)}, 1s, Verdict::keep, "uplink west"},
        {"a new uplink becomes live", {uplink(1s, "north", true)}, 1s, Verdict::keep, "uplink north"},
        {"a new uplink does not", {uplink(1s, "north", false)}, 120s, Verdict::revert, ""},
        {"news of before come late", {uplink(1s, "west", true, 1s)}, 119s, Verdict::none, ""},
        {"and do not count as what was",
         {uplink(1s, "east", false, 2s), uplink(1s, "east", true)},
         119s,
         Verdict::none,
         ""},
    };
    for (const Row& row : rows) {
        CAPTURE(row.what);
        ConfigTrial trial;
        trial.begin(kBegin, 120s, {{"east", true}, {"west", false}});
        for (const Step& step : row.steps) step.happens(trial, kBegin + step.at);
        CHECK(trial.look(kBegin + row.lookAt) == row.verdict);
        CHECK(trial.provedBy() == row.provedBy);
        CHECK(trial.left(kBegin + row.lookAt) == 120s - row.lookAt);
        trial.end();
        CHECK(trial.look(kBegin + 1000s) == Verdict::none);
    }
}

TEST_CASE("where no trial runs nothing is to be done, whatever is seen") {
    ConfigTrial trial;
    trial.confirm("chief");
    trial.uplinkSeen("west", true, kBegin + 1s);
    CHECK_FALSE(trial.running());
    CHECK(trial.look(kBegin + 1000s) == Verdict::none);
    CHECK(trial.left(kBegin) == 0s);
}

TEST_CASE("the next trial begins with nothing proved") {
    ConfigTrial trial;
    trial.begin(kBegin, 10s, {});
    trial.confirm("chief");
    trial.end();
    trial.begin(kBegin + 20s, 10s, {{"west", true}});
    CHECK(trial.look(kBegin + 21s) == Verdict::none);
    CHECK(trial.left(kBegin + 50s) == 0s);
}
