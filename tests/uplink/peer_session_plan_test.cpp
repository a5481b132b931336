// What a session does as the plan of its metered link is used up, and when the month turns.
#include <doctest/doctest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "tests/uplink/session_bench.hpp"

using namespace std::chrono_literals;
using namespace edgecam;
using namespace edgecam::uplink;
using namespace edgecam::uplink::test;

namespace {

using Types = std::vector<std::string>;

constexpr const char* kUsedUp = "the uplink's data plan of this month is used up: ";

PlanFigures planOf(PlanState state, bool timeKnown = true) {
    PlanFigures plan{.monthlyBytes = 100'000'000, .usedBytes = 105'250'400, .state = state, .until = {}};
    if (timeKnown) plan.until = std::chrono::sys_days(std::chrono::year(2026) / 8 / 1);
    return plan;
}

SessionBench metered(PlanState state, HubCredentials credentials = {}) {
    auto bench = SessionBench::hub(std::move(credentials));
    bench.session->followPlan(planOf(state));
    bench.say(R"({"type":"system","event":"authenticated","data":{}})");
    return bench;
}

std::vector<std::uint32_t> picturesIn(const std::vector<Heard>& heard) {
    std::vector<std::uint32_t> sequences;
    for (const Heard& item : heard) {
        if (item.binary && item.header.kind == ChunkKind::accessUnit)
            sequences.push_back(item.header.sequence);
    }
    return sequences;
}

/// Ten pictures a second, a key frame every two seconds, from `first` on.
std::vector<std::uint32_t> watch(SessionBench& bench, std::uint32_t first, std::uint32_t count) {
    std::vector<std::uint32_t> seen;
    for (std::uint32_t sequence = first; sequence < first + count; ++sequence) {
        bench.play(sequence % 20 == 0 ? keyOf(5, 1, sequence) : deltaOf(5, 1, sequence));
        bench.later(100ms);
        const auto heard = bench.hear();
        CHECK(std::ranges::count(heard, "drop", &Heard::type) == 0);
        for (const std::uint32_t picture : picturesIn(heard)) seen.push_back(picture);
    }
    return seen;
}

/// The last command of that kind, which must be the last but `behind`.
template <class Action>
Action commandOf(const SessionBench& bench, std::size_t behind = 0) {
    REQUIRE(bench.agent->commands.size() > behind);
    const auto* action =
        std::get_if<Action>(&bench.agent->commands.rbegin()[static_cast<std::ptrdiff_t>(behind)].action);
    REQUIRE(action != nullptr);
    return *action;
}

}  // namespace

TEST_CASE("past its plan a link gets a key frame now and then, and the encoder hears why") {
    auto bench = metered(PlanState::within);
    bench.hear();
    bench.startVideo();
    CHECK(watch(bench, 101, 3) == std::vector<std::uint32_t>{101, 102, 103});
    bench.session->followPlan(planOf(PlanState::keyFrames));
    CHECK(commandOf<FollowPlan>(bench).keyFramesOnly);
    CHECK(bench.agent->commands.back().ticket == 0);
    const auto told = bench.only("stream_status");
    CHECK(told.str("streaming") == "true");
    CHECK(told.str("channel") == "1");
    CHECK(told.str("reason") == std::string(kUsedUp) + "key frames only until 2026-08-01");

    const auto commands = bench.agent->commands.size();
    // 8 s after one, the next key frame is due: a quarter of the 10 s is slack.
    CHECK(watch(bench, 104, 200) == std::vector<std::uint32_t>{120, 200, 280});
    CHECK(bench.agent->commands.size() == commands);  // no key frame is asked for meanwhile

    bench.session->followPlan(planOf(PlanState::within));
    CHECK_FALSE(commandOf<FollowPlan>(bench).keyFramesOnly);
    CHECK(bench.only("stream_status").str("reason").empty());
    bench.later(0s);
    CHECK(bench.agent->count<ForceKeyFrame>() == 1);
    bench.play(deltaOf(5, 1, 305));
    bench.play(keyOf(5, 1, 306));
    bench.play(deltaOf(5, 1, 307));
    CHECK(picturesIn(bench.hear()) == std::vector<std::uint32_t>{306, 307});
}

TEST_CASE("a start past the plan begins with its key frame alone") {
    auto bench = metered(PlanState::keyFrames);
    bench.hear();
    bench.say(R"({"type":"stream_control","action":"start","camera_id":"cam_123","id":1})");
    CHECK(commandOf<FollowPlan>(bench, 1).keyFramesOnly);
    auto grant = SessionBench::grantOf(5, 1, 100);
    grant.backlog.chunks.push_back(deltaOf(5, 1, 101));
    bench.finish(grant);
    const auto heard = bench.hear();
    CHECK(typesOf(heard) == Types{"stream_status", "binary", "binary"});
    CHECK(heard[0].str("reason").starts_with(kUsedUp));
    CHECK(picturesIn(heard) == std::vector<std::uint32_t>{100});
}

TEST_CASE("far past its plan a link gets no video, and all comes back when the month turns") {
    auto bench = metered(PlanState::keyFrames);
    bench.hear();
    bench.say(R"({"type":"stream_control","action":"start","camera_id":"cam_123","codecs":["hvc1"],"id":1})");
    bench.finish(SessionBench::grantOf(5, 1, 100));
    bench.hear();
    bench.session->followPlan(planOf(PlanState::eventsOnly));
    CHECK(bench.agent->count<StopStream>() == 1);
    CHECK_FALSE(bench.session->follows(5));
    const auto told = bench.only("stream_status");
    CHECK(told.str("streaming") == "true");
    CHECK(told.str("channel") == "null");
    CHECK(told.str("reason") == std::string(kUsedUp) + "events only until 2026-08-01");
    // What was on its way to it comes to nothing.
    bench.session->regrant("cam_123", SessionBench::grantOf(6, 2, 110));
    bench.play(keyOf(5, 1, 120));
    CHECK_FALSE(bench.session->hasOutput());

    // Events and answers go on.
    bench.session->deliver(faceOf("cam_123", 1, FacePhase::enter));
    bench.say(R"({"type":"heartbeat","id":2})");
    CHECK(typesOf(bench.hear()) == Types{"heartbeat", "face_detected"});

    bench.session->followPlan(planOf(PlanState::eventsOnly));
    CHECK_FALSE(bench.session->hasOutput());
    bench.session->followPlan(planOf(PlanState::within));
    CHECK(commandOf<StartStream>(bench).codecs == std::vector<std::string>{"hvc1"});
    CHECK_FALSE(commandOf<FollowPlan>(bench, 1).keyFramesOnly);
    bench.hear();
    bench.finish(SessionBench::grantOf(7, 3, 200));
    const auto back = bench.hear();
    CHECK(typesOf(back) == Types{"stream_status", "binary", "binary"});
    CHECK(back[0].str("channel") == "3");
    CHECK(back[0].str("reason").empty());
    CHECK(picturesIn(back) == std::vector<std::uint32_t>{200});
}

TEST_CASE("who starts video or asks for a picture where only events go is told why, at once") {
    auto bench = metered(PlanState::eventsOnly);
    bench.hear();
    const auto commands = bench.agent->commands.size();
    bench.say(R"({"type":"stream_control","action":"start","camera_id":"cam_123","format":"jpeg","id":1})");
    const auto held = bench.only("stream_status");
    CHECK(held.id() == "1");
    CHECK(held.str("streaming") == "true");
    CHECK(held.str("channel") == "null");
    CHECK(held.str("reason").starts_with(kUsedUp));
    bench.say(R"({"type":"stream_control","action":"snapshot","camera_id":"cam_123","id":2})");
    const auto refused = bench.only("error");
    CHECK(refused.str("code") == "unavailable");
    CHECK(refused.str("message").starts_with(kUsedUp));
    CHECK(bench.agent->commands.size() == commands);  // the agent is not bothered

    bench.say(R"({"type":"stream_control","action":"stop","camera_id":"cam_123","id":3})");
    bench.finish(Done{});
    CHECK(bench.only("stream_status").str("streaming") == "false");
    bench.session->followPlan(planOf(PlanState::within));
    CHECK(bench.agent->count<StartStream>() == 0);  // who stopped it meanwhile has it stopped
}

TEST_CASE("cameras that start unasked wait for the month as well") {
    auto bench = metered(PlanState::eventsOnly, {.token = "t", .start = {"cam_123", "door"}});
    CHECK(bench.agent->count<StartStream>() == 0);
    const auto types = typesOf(bench.hear());
    CHECK(std::ranges::count(types, "stream_status") == 2);
    bench.session->followPlan(planOf(PlanState::within));
    CHECK(bench.agent->count<StartStream>() == 2);
}

TEST_CASE("a start that was under way when the plan ended is let go") {
    auto bench = metered(PlanState::within);
    bench.hear();
    bench.say(R"({"type":"stream_control","action":"start","camera_id":"cam_123","id":1})");
    const Command start = bench.agent->commands.back();
    bench.session->followPlan(planOf(PlanState::eventsOnly));
    bench.session->complete(start.ticket, SessionBench::grantOf(5, 1, 100));
    CHECK_FALSE(bench.session->follows(5));
    const auto heard = bench.hear();
    CHECK(heard.back().id() == "1");
    CHECK(heard.back().str("channel") == "null");
    CHECK(bench.agent->count<StopStream>() == 1);
}

TEST_CASE("without the time it is not said when the plan begins anew") {
    auto bench = metered(PlanState::within);
    bench.hear();
    bench.startVideo();
    bench.session->followPlan(planOf(PlanState::keyFrames, false));
    CHECK(bench.only("stream_status").str("reason") ==
          std::string(kUsedUp) + "key frames only until the next month");
}

TEST_CASE("status tells of every plan, and of each change of its state at once") {
    auto bench = SessionBench::as("viewer");
    bench.view->uplinks["hub"] = uplinkOf("hub", UplinkState::live);
    bench.view->uplinks["other"] = uplinkOf("other", UplinkState::live);
    const auto become = [&](PlanState state) {
        AgentFigures figures;
        figures.plans["hub"] = planOf(state);
        bench.view->figures = std::make_shared<const AgentFigures>(figures);
        bench.session->figuresChanged();
    };
    const auto planIn = [](const Heard& status) {
        CHECK_FALSE(status.data()["uplinks"][1].HasMember("plan"));
        return toJson(status.data()["uplinks"][0]["plan"]);
    };
    become(PlanState::within);
    const auto first = bench.only("system/status");
    CHECK(first.str("status") == "online");
    become(PlanState::within);
    CHECK_FALSE(bench.session->hasOutput());
    become(PlanState::keyFrames);
    const auto thin = bench.only("system/status");
    CHECK(thin.str("status") == "degraded");
    CHECK(planIn(thin) == R"({"monthly_mb":100,"used_mb":105.25,"state":"key_frames","until":1785542400.0})");
    become(PlanState::eventsOnly);
    CHECK(planIn(bench.only("system/status")).find(R"("state":"events_only")") != std::string::npos);
    become(PlanState::within);
    CHECK(bench.only("system/status").str("status") == "online");
}
