#include "uplink/data_plan.hpp"

#include <doctest/doctest.h>

#include <optional>
#include <string>
#include <vector>

using namespace std::chrono_literals;
using namespace edgecam;
using namespace edgecam::uplink;

namespace {

constexpr std::uint64_t kPlan = 1000;

constexpr std::chrono::year_month operator""_of26(unsigned long long month) {
    return std::chrono::year(2026) / static_cast<int>(month);
}

Utc at(int year, unsigned month, unsigned day, Microseconds time = 0s) {
    return std::chrono::sys_days(std::chrono::year(year) / static_cast<int>(month) / static_cast<int>(day)) +
           time;
}

/// A box's run: its clock from the boot on.
struct Run {
    DataPlan plan;
    Monotonic now{10s};

    explicit Run(const PlanRecord& kept = {}) : plan(kPlan, kept) {}
    void count(std::uint64_t bytes) { plan.count(bytes); }
    void learn(Utc wall) {
        plan.synced(wall, now);
        plan.look(now);
    }
    void pass(Microseconds span) {
        now += span;
        plan.look(now);
    }
    [[nodiscard]] std::uint64_t used() const { return plan.figures().usedBytes; }
    [[nodiscard]] PlanState state() const { return plan.figures().state; }
};

}  // namespace

TEST_CASE("first everything goes, then key frames, then events only") {
    struct Row {
        std::uint64_t used;
        PlanState state;
    };
    for (const Row& row :
         {Row{0, PlanState::within}, Row{999, PlanState::within}, Row{1000, PlanState::within},
          Row{1001, PlanState::keyFrames}, Row{1100, PlanState::keyFrames}, Row{1101, PlanState::eventsOnly},
          Row{DataPlan::kMostBytes, PlanState::eventsOnly}}) {
        CAPTURE(row.used);
        Run run;
        run.count(row.used);
        CHECK(run.state() == row.state);
        CHECK(run.used() == row.used);
        CHECK(run.plan.figures().monthlyBytes == kPlan);
    }
}

TEST_CASE("a count beyond every link's stays at the most, and turns no corner") {
    Run run;
    run.count(~std::uint64_t{0});
    run.count(~std::uint64_t{0});
    CHECK(run.used() == DataPlan::kMostBytes);
    run.learn(at(2026, 7, 3));
    run.count(~std::uint64_t{0});
    CHECK(run.used() == DataPlan::kMostBytes);
}

TEST_CASE("the month turns at midnight UTC, and everything goes again") {
    Run run;
    run.learn(at(2026, 12, 31, 23h + 59min));
    run.count(2000);
    CHECK(run.state() == PlanState::eventsOnly);
    CHECK(run.plan.figures().until == at(2027, 1, 1));
    run.pass(59s);
    CHECK(run.used() == 2000);
    run.pass(1s);
    CHECK(run.used() == 0);
    CHECK(run.state() == PlanState::within);
    CHECK(run.plan.figures().until == at(2027, 2, 1));
    run.count(7);
    CHECK(run.plan.record() == PlanRecord{.month = {{std::chrono::year(2027) / 1, 7}},
                                          .undated = 0,
                                          .earlier = {{std::chrono::year(2026) / 12, 2000}}});
}

TEST_CASE("what is counted before the time is known belongs to the month that is found") {
    struct Row {
        const char* what;
        PlanRecord kept;
        std::uint64_t before;  // used in all while the time is not known, 50 of them in this run
        std::uint64_t after;   // once it is July
    };
    const std::vector<Row> rows{
        {"a new box", {}, 50, 50},
        {"one that never knew the time", {.month = {}, .undated = 900, .earlier = {}}, 950, 950},
        {"a restart in the month", {.month = {{7_of26, 300}}, .undated = 0, .earlier = {}}, 350, 350},
        {"the last run ended before it knew the time",
         {.month = {{7_of26, 300}}, .undated = 40, .earlier = {}},
         390,
         390},
        {"a restart in the next month", {.month = {{6_of26, 300}}, .undated = 40, .earlier = {}}, 390, 90},
        {"away for months", {.month = {{2_of26, 300}}, .undated = 0, .earlier = {{1_of26, 8}}}, 350, 50},
    };
    for (const Row& row : rows) {
        CAPTURE(row.what);
        Run run(row.kept);
        run.count(50);
        run.pass(1h);
        CHECK(run.used() == row.before);
        CHECK_FALSE(run.plan.figures().until);
        CHECK(run.plan.record().month == row.kept.month);
        run.learn(at(2026, 7, 9));
        CHECK(run.used() == row.after);
        CHECK(run.plan.figures().until == at(2026, 8, 1));
        CHECK(run.plan.record().undated == 0);
    }
}

TEST_CASE("a used up plan is one after a restart too, whatever the time") {
    Run run(PlanRecord{.month = {{7_of26, 1050}}, .undated = 0, .earlier = {}});
    CHECK(run.state() == PlanState::keyFrames);
    run.learn(at(1970, 1, 1));  // not to be believed
    CHECK(run.state() == PlanState::keyFrames);
    CHECK_FALSE(run.plan.figures().until);
    run.learn(at(2026, 8, 1));
    CHECK(run.state() == PlanState::within);
}

TEST_CASE("a clock that was ahead gives no month for nothing") {
    Run run(PlanRecord{.month = {{7_of26, 900}}, .undated = 0, .earlier = {{6_of26, 500}}});
    run.learn(at(2029, 3, 4));
    run.count(30);
    CHECK(run.used() == 30);
    run.learn(at(2026, 7, 20));  // back within the run
    CHECK(run.used() == 930);
    CHECK(run.plan.figures().until == at(2026, 8, 1));

    Run later(run.plan.record());
    later.count(5);
    later.learn(at(2029, 3, 5));  // and once more, back by way of a restart
    Run last(later.plan.record());
    last.learn(at(2026, 7, 21));
    CHECK(last.used() == 935);
    last.learn(at(2026, 6, 30));  // to where nothing is known of any more
    CHECK(last.used() == 935);
}

TEST_CASE("a clock that goes back over the turn of the month finds what was used there") {
    Run run(PlanRecord{.month = {{6_of26, 600}}, .undated = 0, .earlier = {}});
    run.learn(at(2026, 7, 1, 1s));
    run.count(3);
    CHECK(run.used() == 3);
    run.learn(at(2026, 6, 30, 23h + 59min + 59s));
    CHECK(run.used() == 603);
    run.pass(2s);
    CHECK(run.used() == 0);
    // Two months back, the one between is not lost either.
    Run far(PlanRecord{.month = {{8_of26, 10}}, .undated = 0, .earlier = {{7_of26, 200}}});
    far.learn(at(2026, 5, 1));
    CHECK(far.used() == 210);
}

TEST_CASE("a clock that jumps ahead within a run is not followed") {
    Run run;
    run.learn(at(2026, 7, 20));
    run.count(1050);
    run.pass(1h);
    run.learn(at(2026, 9, 1));
    CHECK(run.state() == PlanState::keyFrames);
}

TEST_CASE("the states have the wire's words") {
    CHECK(nameOf(PlanState::within) == std::string("within"));
    CHECK(nameOf(PlanState::keyFrames) == std::string("key_frames"));
    CHECK(nameOf(PlanState::eventsOnly) == std::string("events_only"));
}
