// What a connection counts, and what a peer hears of it.
#include <doctest/doctest.h>

#include <algorithm>

#include "tests/uplink/session_bench.hpp"
#include "uplink/peer_exchange.hpp"

using namespace std::chrono_literals;
using namespace edgecam;
using namespace edgecam::uplink;
using namespace edgecam::uplink::test;

namespace {

/// The member of an array of objects whose `field` says `value`.
const JsonValue& find(const JsonValue& list, const char* field, const std::string& value) {
    for (const JsonValue& item : list.GetArray()) {
        if (value == item[field].GetString()) return item;
    }
    FAIL("no ", field, " is ", value);
    return list;
}

Heard ask(SessionBench& bench) {
    static int id = 1000;
    bench.say(R"({"type":"metrics","id":)" + std::to_string(++id) + "}");
    auto answer = bench.only("metrics");
    CHECK(answer.id() == std::to_string(id));
    return answer;
}

std::shared_ptr<const AgentFigures> figuresWith(std::uint64_t pictures) {
    AgentFigures figures;
    figures.process = {.residentBytes = 60 << 20,
                       .anonymousBytes = 20 << 20,
                       .cpuSeconds = 1.5,
                       .threads = 12,
                       .descriptors = 40};
    for (const char* cameraId : {"cam_123", "door"}) {
        figures.cameras[cameraId].pictures = pictures;
        figures.cameras[cameraId].events = {3, 2, 1};
    }
    return std::make_shared<const AgentFigures>(figures);
}

}  // namespace

TEST_CASE("metrics tell what went over this connection") {
    auto bench = SessionBench::as("viewer");
    bench.later(1500ms);
    const auto first = ask(bench);
    const auto& before = first.data()["connection"];
    CHECK(before["age_s"].GetDouble() == 1.5);
    CHECK(std::string(before["role"].GetString()) == "viewer");
    CHECK(before["messages_in"].GetUint64() == 2);   // auth and this
    CHECK(before["messages_out"].GetUint64() == 2);  // authenticated and status
    const auto second = ask(bench);
    const auto& after = second.data()["connection"];
    CHECK(after["messages_out"].GetUint64() == 3);
    CHECK(after["bytes_out"].GetUint64() == before["bytes_out"].GetUint64() + first.text.size());
    CHECK(after["bytes_in"].GetUint64() > before["bytes_in"].GetUint64());
}

TEST_CASE("metrics tell what waits in every lane, what was dropped, and what flows") {
    auto bench = SessionBench::as("operator");
    bench.startVideo();
    for (std::uint32_t sequence = 101; sequence < 191; ++sequence) {
        bench.play(deltaOf(5, 1, sequence, 1000));
        bench.later(33ms);
        bench.hear();
    }
    bench.play(deltaOf(5, 1, 191, 1000));
    bench.session->deliver(faceOf("door", 1, FacePhase::enter));
    bench.say(R"({"type":"metrics","id":2})");  // 1 was the start
    const auto heard = bench.hear();
    const auto metrics = std::ranges::find(heard, "metrics", &Heard::type);
    REQUIRE(metrics != heard.end());
    const auto& data = metrics->data();
    CHECK(data["lanes"].Size() == kLaneCount);
    CHECK(find(data["lanes"], "lane", "video")["depth"].GetUint64() == 1);
    CHECK(find(data["lanes"], "lane", "video")["bytes"].GetUint64() == 1032);
    CHECK(find(data["lanes"], "lane", "events")["depth"].GetUint64() == 1);
    CHECK(find(data["lanes"], "lane", "bulk")["depth"].GetUint64() == 0);
    const auto& stream = find(data["streams"], "camera_id", "cam_123");
    CHECK(stream["channel"].GetInt() == 1);
    CHECK(stream["bitrate_kbps"].GetInt() > 200);

    for (std::uint32_t sequence = 192; sequence < 222; ++sequence) {  // a second in which nothing is read
        bench.play(deltaOf(5, 1, sequence, 1000));
        bench.later(33ms);
    }
    bench.hear();
    const auto stalled = ask(bench);
    CHECK(find(stalled.data()["lanes"], "lane", "video")["dropped"].GetUint64() > 10);
}

TEST_CASE("errors are counted by code, with the last text, also those inside one answer for many") {
    auto bench = SessionBench::as("viewer");
    bench.say(R"({"type":"sessions","id":1})");
    bench.say(R"({"type":"stream_control","action":"enable","camera_id":"door","id":2})");
    bench.say(R"({"type":"stream_control","action":"stop","camera_id":["nowhere","elsewhere"],"id":3})");
    bench.hear();
    const auto told = ask(bench);
    const auto& errors = told.data()["errors"];
    CHECK(errors.Size() == 2);
    CHECK(find(errors, "code", "forbidden")["count"].GetUint64() == 2);
    CHECK(find(errors, "code", "unknown_camera")["count"].GetUint64() == 2);
    CHECK(std::string(find(errors, "code", "forbidden")["last_message"].GetString()) ==
          "not allowed to the role viewer");
}

TEST_CASE("of the agent a token hears what its cameras do") {
    auto bench = SessionBench::as("door-only");
    auto early = ask(bench);
    CHECK(early.data()["cameras"].Size() == 1);
    CHECK_FALSE(early.data().HasMember("process"));  // nothing was counted yet: nothing is said
    CHECK_FALSE(early.data()["cameras"][0].HasMember("pictures"));
    bench.view->figures = figuresWith(77);
    const auto told = ask(bench);
    REQUIRE(told.data()["cameras"].Size() == 1);
    const auto& door = find(told.data()["cameras"], "camera_id", "door");
    CHECK(door["pictures"].GetUint64() == 77);
    CHECK(toJson(door["events"]) == R"({"enter":3,"update":2,"leave":1})");
    CHECK(told.data()["process"]["threads"].GetUint64() == 12);
}

TEST_CASE("the topic metrics comes with new figures, thinned by rate_hz, of the cameras that were named") {
    auto bench = SessionBench::as("viewer");
    bench.view->figures = figuresWith(1);
    bench.session->figuresChanged();
    CHECK_FALSE(bench.session->hasOutput());
    bench.say(R"({"type":"subscribe","topics":["door/metrics"],"rate_hz":0.5})");
    bench.hear();
    int heard = 0;
    for (int second = 0; second < 6; ++second) {
        bench.session->figuresChanged();
        for (const Heard& item : bench.hear()) {
            CHECK(item.type == "metrics");
            CHECK(item.id().empty());
            CHECK(item.data()["cameras"].Size() == 1);
            ++heard;
        }
        bench.later(1s);
    }
    CHECK(heard == 3);
    auto narrow = SessionBench::as("door-only");
    narrow.say(R"({"type":"subscribe","topics":["*/metrics"]})");
    narrow.hear();
    narrow.session->figuresChanged();
    CHECK(narrow.only("metrics").data()["cameras"].Size() == 1);
}

TEST_CASE("a service's totals outlive its connections, what is in force does not") {
    SessionBench bench = SessionBench::as("viewer");
    PeerExchange exchange(*bench.view, 64 << 10, *bench.clock);
    exchange.add(*bench.session);
    exchange.publish(figuresWith(5));
    CHECK(exchange.figures()->peers.empty());  // not before the service's thread took it
    exchange.drain();
    CHECK(exchange.agent().figures->cameras.at("door").pictures == 5);
    CHECK(exchange.figures()->peers.at(Role::viewer) == 1);
    const auto during = exchange.figures()->traffic;
    CHECK(during.messagesIn == 1);

    bench.say(R"({"type":"sessions","id":1})");
    bench.hear();
    exchange.remove(bench.session->id());
    exchange.publish(figuresWith(6));
    exchange.drain();
    CHECK(exchange.figures()->peers.empty());
    CHECK(exchange.figures()->traffic.messagesIn == 2);
    CHECK(exchange.figures()->traffic.bytesOut > during.bytesOut);
    CHECK(exchange.figures()->errors.at(ErrorCode::forbidden) == 1);
    CHECK(exchange.figures()->lanes[0].depth == 0);
}

TEST_CASE("a lane without a word has a number") {
    CHECK(laneName(0) == "answers");
    CHECK(laneName(static_cast<std::size_t>(Lane::video)) == "video");
    CHECK(laneName(40) == "lane_40");
}

TEST_CASE("a journal that cannot be written is told to who follows the system, and so is its recovery") {
    auto bench = SessionBench::as("viewer");
    const auto publish = [&](bool ok) {
        AgentFigures figures;
        figures.journal = JournalStatus{.ok = ok, .trouble = ok ? "" : "the disk is full", .unstored = 3};
        bench.view->figures = std::make_shared<const AgentFigures>(figures);
        bench.session->figuresChanged();
    };
    publish(true);
    CHECK(bench.hear().empty());
    publish(false);
    const Heard told = bench.only("system/status");
    CHECK(told.str("status") == "degraded");
    CHECK(std::string(told.data()["journal"]["reason"].GetString()) == "the disk is full");
    publish(true);
    CHECK(bench.only("system/status").str("status") == "online");
}

TEST_CASE("analytics tell of the faces of the cameras that the peer may see, asked and by their topic") {
    auto bench = SessionBench::as("viewer");
    AgentFigures figures;
    FaceFigures& faces = figures.cameras["door"].faces;
    faces = {.present = 2, .lastMinute = 3, .entered = 9, .left = 7, .dwell = {}};
    for (const Microseconds stayed :
         {Microseconds(500ms), Microseconds(1500ms), Microseconds(90s), Microseconds(2h)}) {
        faces.dwell.add(stayed);
    }
    figures.cameras["door"].zones["gate"].present = 1;
    bench.view->figures = std::make_shared<const AgentFigures>(figures);
    bench.say(R"({"type":"analytics","id":1})");
    const auto answer = bench.only("analytics");
    const auto& door = find(answer.data()["cameras"], "camera_id", "door");
    CHECK(door["present"].GetUint64() == 2);
    CHECK(door["last_minute"].GetUint64() == 3);
    CHECK(door["entered"].GetUint64() == 9);
    CHECK(door["left"].GetUint64() == 7);
    CHECK(door["dwell"]["count"].GetUint64() == 4);
    CHECK(door["dwell"]["sum_s"].GetDouble() == 7292);
    CHECK(toJson(door["dwell"]["until_s"]) ==
          "[[1,1],[2,2],[5,2],[10,2],[30,2],[60,2],[120,3],[300,3],[900,3],[3600,3]]");
    CHECK(find(door["zones"], "zone", "gate")["present"].GetUint64() == 1);

    bench.say(R"({"type":"subscribe","topics":["door/analytics"],"id":2})");
    (void)bench.hear();
    bench.session->figuresChanged();
    CHECK(bench.only("analytics").data()["cameras"].Size() == 1);
    auto narrow = SessionBench::as("door-only");
    AgentFigures other;
    other.cameras["cam_123"].faces.present = 1;
    narrow.view->figures = std::make_shared<const AgentFigures>(other);
    narrow.say(R"({"type":"analytics","id":1})");
    CHECK(narrow.only("analytics").data()["cameras"].Size() == 0);
}
