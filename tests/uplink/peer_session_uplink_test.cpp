// What peers hear of the agent's uplinks.
#include <doctest/doctest.h>

#include "tests/uplink/session_bench.hpp"

using namespace std::chrono_literals;
using namespace edgecam;
using namespace edgecam::uplink;
using namespace edgecam::uplink::test;

namespace {

constexpr const char* kHub = "wss://hub.example/v1/stream";

/// As the exchange does it: the view first, then the session. What is due is told at the next tick.
void become(SessionBench& bench, UplinkState state, const std::string& reason = {}) {
    bench.view->uplinks[kHub] = uplinkOf(kHub, state, reason);
    bench.session->uplinkChanged(bench.view->uplinks[kHub]);
}

std::string uplinkIn(const Heard& status) {
    const auto& uplinks = status.data()["uplinks"];
    REQUIRE(uplinks.Size() == 1);
    return toJson(uplinks[0]);
}

}  // namespace

TEST_CASE("a viewer learns of every uplink: state, why, and when it is tried again") {
    auto bench = SessionBench::as("viewer");
    become(bench, UplinkState::backingOff, "the connection broke");
    bench.later(0s);
    const auto away = bench.only("system/status");
    CHECK(away.str("status") == "degraded");
    CHECK(
        uplinkIn(away) ==
        R"({"name":"wss://hub.example/v1/stream","purpose":"all","url":"wss://hub.example/v1/stream","state":"backing_off",)"
        R"("reason":"the connection broke","retry_at":1700000012.5,"attempts":3})");
    bench.later(2s);
    become(bench, UplinkState::live);
    bench.later(0s);
    const auto back = bench.only("system/status");
    CHECK(back.str("status") == "online");
    CHECK(uplinkIn(back).find("retry_at") == std::string::npos);
}

TEST_CASE("a try that fails again is one message, not one for every state it passes") {
    auto bench = SessionBench::as("viewer");
    become(bench, UplinkState::backingOff, "no connection");
    bench.later(0s);
    bench.only("system/status");
    for (int tries = 0; tries < 10; ++tries) {  // ten tries in one second
        become(bench, UplinkState::connecting);
        become(bench, UplinkState::backingOff, "no connection, " + std::to_string(tries));
        bench.later(100ms);
    }
    CHECK_FALSE(bench.session->hasOutput());
    bench.later(1s);
    CHECK(uplinkIn(bench.only("system/status")).find("no connection, 9") != std::string::npos);
    bench.later(10s);
    CHECK_FALSE(bench.session->hasOutput());
}

TEST_CASE("connecting is told when it lasts, and not when it led nowhere new") {
    auto bench = SessionBench::as("viewer");
    become(bench, UplinkState::live);
    bench.later(0s);
    bench.only("system/status");
    bench.later(5s);
    become(bench, UplinkState::connecting);
    bench.later(900ms);
    CHECK_FALSE(bench.session->hasOutput());
    bench.later(100ms);
    CHECK(uplinkIn(bench.only("system/status")).find("connecting") != std::string::npos);
    bench.later(5s);
    become(bench, UplinkState::authenticating);
    become(bench, UplinkState::connecting);
    bench.later(5s);
    CHECK_FALSE(bench.session->hasOutput());
}

TEST_CASE("who is not authenticated or does not want the system's news hears nothing") {
    auto stranger = SessionBench::viewer();
    become(stranger, UplinkState::live);
    stranger.later(1s);
    CHECK_FALSE(stranger.session->hasOutput());
    auto bench = SessionBench::as("viewer");
    bench.say(R"({"type":"unsubscribe","topics":["system"]})");
    bench.hear();
    become(bench, UplinkState::live);
    bench.later(5s);
    CHECK_FALSE(bench.session->hasOutput());
}

TEST_CASE("a hub is told of the other uplinks, and that its own is live") {
    auto bench = SessionBench::hub({});
    bench.hear();
    bench.view->ownUplink = kHub;
    bench.view->uplinks[kHub] = uplinkOf(kHub, UplinkState::authenticating);
    bench.say(R"({"type":"system","event":"authenticated","data":{}})");
    const auto welcome = bench.only("system/status");
    CHECK(welcome.str("status") == "online");
    CHECK(uplinkIn(welcome).find(R"("state":"live")") != std::string::npos);
    become(bench, UplinkState::live);
    bench.later(5s);
    CHECK_FALSE(bench.session->hasOutput());
    bench.view->uplinks["ws://other"] = uplinkOf("ws://other", UplinkState::rejected, "4401");
    bench.session->uplinkChanged(bench.view->uplinks["ws://other"]);
    bench.later(0s);
    CHECK(bench.only("system/status").str("status") == "degraded");
}
