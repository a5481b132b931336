#include "agent/data_plans.hpp"

#include <doctest/doctest.h>

#include <filesystem>
#include <fstream>
#include <string>

#include "tests/support/fake_clock.hpp"
#include "tests/support/temp_folder.hpp"

using namespace std::chrono_literals;
using namespace edgecam;
using agent::DataDir;
using agent::DataPlans;
using uplink::PlanState;

namespace {

std::vector<agent::UplinkConfig> hubs() {
    std::vector<agent::UplinkConfig> hubs(2);
    hubs[0].name = "metered";
    hubs[0].monthlyBytes = 1'000'000;
    hubs[1].name = "free";
    return hubs;
}

/// A box with a data folder, on 2023-11-14 by its clock.
struct Box {
    test::TempFolder temp;
    test::FakeClock clock;
    DataDir dir = *DataDir::open(temp.path());

    [[nodiscard]] DataPlans start() { return {hubs(), dir, clock}; }
    /// What is on disk.
    [[nodiscard]] std::uint64_t kept() {
        const auto plans = dir.usedPlans();
        const auto found = plans.find("metered");
        return found == plans.end() || !found->second.month ? 0 : found->second.month->bytes;
    }
};

}  // namespace

TEST_CASE("only metered uplinks have a plan, and the month is known before anybody is dialled") {
    Box box;
    DataPlans plans = box.start();
    CHECK(plans.of("free") == nullptr);
    REQUIRE(plans.of("metered") != nullptr);
    CHECK(plans.figures().at("metered").until == std::chrono::sys_days(std::chrono::year(2023) / 12 / 1));
    CHECK(plans.figures().size() == 1);
}

TEST_CASE("a box without metered uplinks has no file") {
    const Box box;
    { const DataPlans plans({}, box.dir, box.clock); }
    CHECK_FALSE(std::ifstream(box.temp.path() + "/plans.json").is_open());
}

TEST_CASE("what is used is remembered over a restart, and not over the month") {
    Box box;
    {
        DataPlans plans = box.start();
        plans.of("metered")->count(1'050'000);
    }
    CHECK(box.kept() == 1'050'000);
    {
        const DataPlans plans = box.start();
        CHECK(plans.figures().at("metered").state == PlanState::keyFrames);
    }
    box.clock.advance(20 * 24h);
    const DataPlans plans = box.start();
    CHECK(plans.figures().at("metered").state == PlanState::within);
}

TEST_CASE("the disk is written at once, when a state changes, and else once a minute") {
    Box box;
    DataPlans plans = box.start();
    uplink::DataPlan& plan = *plans.of("metered");
    const auto count = [&](std::uint64_t bytes, Microseconds after) {
        plan.count(bytes);
        box.clock.advance(after);
        plans.look();
    };
    count(10, 1s);
    count(10, 1s);
    count(10, 57s);
    plans.finishWriting();
    CHECK(box.kept() == 10);
    count(10, 2s);
    plans.finishWriting();
    CHECK(box.kept() == 40);
    count(10, 59s);
    plans.finishWriting();
    CHECK(box.kept() == 40);
    count(1'000'000, 100ms);
    plans.finishWriting();
    CHECK(box.kept() == 1'000'050);
}

TEST_CASE("a disk that refuses stops nothing, and has what was counted once it takes it") {
    Box box;
    DataPlans plans = box.start();
    std::filesystem::create_directories(box.temp.path() + "/plans.json/in the way");
    plans.of("metered")->count(10);
    plans.look();
    plans.finishWriting();
    std::filesystem::remove_all(box.temp.path() + "/plans.json");
    box.clock.advance(1min);
    plans.look();
    plans.finishWriting();
    CHECK(box.kept() == 10);
}

TEST_CASE("an uplink that is dialled anew goes on from what it used, by its new limit") {
    Box box;
    DataPlans plans = box.start();
    plans.of("metered")->count(600'000);
    auto hub = hubs()[0];
    hub.monthlyBytes = 500'000;
    plans.end("metered");
    CHECK(plans.of("metered") == nullptr);
    plans.begin(hub);
    CHECK(plans.figures().at("metered").usedBytes == 600'000);
    CHECK(plans.figures().at("metered").monthlyBytes == 500'000);
    CHECK(plans.figures().at("metered").state == PlanState::eventsOnly);
}

TEST_CASE("the first metered uplink may come later, and finds what the file has of it") {
    Box box;
    {
        DataPlans plans = box.start();
        plans.of("metered")->count(300'000);
    }
    DataPlans plans({}, box.dir, box.clock);
    auto hub = hubs()[0];
    hub.monthlyBytes = 0;
    plans.begin(hub);
    CHECK(plans.of("metered") == nullptr);
    plans.begin(hubs()[0]);
    CHECK(plans.figures().at("metered").usedBytes == 300'000);
}
