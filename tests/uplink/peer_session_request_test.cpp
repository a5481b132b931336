// What a peer asks: one answer for one request, roles, ranges.
#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <map>
#include <string>
#include <utility>

#include "tests/uplink/session_bench.hpp"
#include "uplink/message_request.hpp"

using namespace std::chrono_literals;
using namespace edgecam;
using namespace edgecam::uplink;
using namespace edgecam::uplink::test;

TEST_CASE("the same id again repeats the answer and does nothing twice") {
    auto bench = SessionBench::as("operator");
    const char* request = R"({"type":"stream_control","action":"enable","camera_id":"door","id":"x"})";
    bench.say(request);
    bench.say(request);  // not answered yet: the one answer is still to come
    CHECK_FALSE(bench.session->hasOutput());
    bench.finish(Done{});
    const std::string first = bench.only("ok").text;
    bench.say(request);
    CHECK(bench.only("ok").text == first);
    CHECK(bench.agent->commands.size() == 1);

    bench.say(R"({"type":"stream_control","action":"enable","camera_id":"door","id":"y"})");
    CHECK(bench.agent->commands.size() == 2);
}

TEST_CASE("ids that are numbers and texts are different ids") {
    auto bench = SessionBench::as("viewer");
    bench.say(R"({"type":"heartbeat","id":1})");
    bench.say(R"({"type":"status","id":"1"})");
    CHECK(typesOf(bench.hear()) == std::vector<std::string>{"heartbeat", "system/status"});
}

TEST_CASE("only the last answers are remembered") {
    auto bench = SessionBench::as("viewer");
    for (int i = 0; i < 200; ++i)
        bench.say(R"({"type":"heartbeat","t0":)" + std::to_string(i) + R"(,"id":)" + std::to_string(i) + "}");
    CHECK(bench.hear().size() == 200);
    bench.say(R"({"type":"status","id":199})");
    CHECK(bench.only("heartbeat").str("t0") == "199");
    bench.say(R"({"type":"status","id":1})");
    CHECK(bench.only("system/status").id() == "1");
}

TEST_CASE("a request the agent does not answer is answered before ten seconds are over, once") {
    auto bench = SessionBench::as("operator");
    bench.say(R"({"type":"stream_control","action":"keyframe","camera_id":"door","id":1})");
    bench.later(9s);
    CHECK_FALSE(bench.session->hasOutput());
    bench.later(900ms);
    const auto error = bench.only("error");
    CHECK(error.str("code") == "unavailable");
    CHECK(error.id() == "1");
    bench.finish(Done{});
    CHECK_FALSE(bench.session->hasOutput());
}

TEST_CASE("a start that failed by time leaves no stream behind") {
    auto bench = SessionBench::as("operator");
    bench.say(R"({"type":"stream_control","action":"start","camera_id":"door","id":1})");
    const TicketId ticket = bench.agent->commands.back().ticket;
    bench.later(9900ms);
    CHECK(bench.only("error").str("camera_id") == "door");
    CHECK(bench.agent->count<StopStream>() == 1);
    bench.session->complete(ticket, SessionBench::grantOf(5, 1, 100));
    CHECK_FALSE(bench.session->follows(5));
    CHECK_FALSE(bench.session->hasOutput());
}

TEST_CASE("ttl_ms travels with the command") {
    auto bench = SessionBench::as("operator");
    bench.say(R"({"type":"stream_control","action":"keyframe","camera_id":"door","ttl_ms":1500})");
    CHECK(bench.agent->commands.back().expiresAt == bench.clock->monotonic() + 1500ms);
    bench.finish(Refusal{ErrorCode::expired, "too late", ""});
    CHECK(bench.only("error").str("code") == "expired");
}

TEST_CASE("what was refused for lack of time cannot be carried out later") {
    SessionLimits limits;
    limits.answerWithin = 9500ms;
    auto bench = SessionBench::as("operator", limits);
    for (const char* ttl : {"", R"("ttl_ms":60000,)"}) {
        bench.say(std::string(R"({"type":"stream_control",)") + ttl +
                  R"("action":"start","camera_id":"door"})");
        CHECK(bench.agent->commands.back().expiresAt == bench.clock->monotonic() + 9500ms);
    }
}

TEST_CASE("a stop that was carried out never expires at the agent") {
    auto bench = SessionBench::as("operator");
    bench.startVideo();
    bench.say(R"({"type":"stream_control","action":"stop","camera_id":"cam_123","ttl_ms":1})");
    REQUIRE(bench.agent->count<StopStream>() == 1);
    CHECK_FALSE(bench.agent->commands.back().expiresAt);
}

TEST_CASE("requests that cost something have a rate, each camera counted; a stop always comes through") {
    SessionLimits limits;
    limits.commandsPerSecond = 2;
    limits.commandBurst = 3;
    auto bench = SessionBench::as("operator", limits);
    bench.say(R"({"type":"stream_control","action":"snapshot","camera_id":"*"})");
    bench.say(R"({"type":"stream_control","action":"start","camera_id":"*","id":1})");
    CHECK(bench.agent->count<TakeSnapshot>() == 2);
    CHECK(bench.agent->count<StartStream>() == 1);
    bench.finish(SessionBench::grantOf(5, 1, 100));
    const Heard answer = bench.only("ok");
    CHECK(answer.text.find("rate_limited") != std::string::npos);
    CHECK(answer.id() == "1");
    bench.say(R"({"type":"stream_control","action":"stop","camera_id":"*","id":2})");
    CHECK(bench.agent->count<StopStream>() == 1);
    bench.hear();
    bench.clock->advance(500ms);
    bench.say(R"({"type":"stream_control","action":"snapshot","camera_id":"*"})");
    CHECK(bench.agent->count<TakeSnapshot>() == 3);
    CHECK(bench.only("error").str("code") == "rate_limited");
}

TEST_CASE("an ok that nobody asked for is not sent") {
    auto bench = SessionBench::as("operator");
    bench.say(R"({"type":"stream_control","action":"keyframe","camera_id":"door"})");
    bench.finish(Done{});
    bench.say(R"({"type":"media_ack","channel":1,"sequence":7})");
    CHECK_FALSE(bench.session->hasOutput());
    bench.say(R"({"type":"media_ack","channel":1,"sequence":7,"id":1})");
    CHECK(bench.only("ok").id() == "1");
}

TEST_CASE("roles are checked on every request, and forbidden wins over unsupported") {
    struct Row {
        const char* text;
        const char *viewer, *operator_, *admin;  ///< the error's code, "" when the agent is asked
    };
    constexpr std::array kRows{
        Row{R"("stream_control","action":"start","camera_id":"door")", "", "", ""},
        Row{R"("stream_control","action":"stop","camera_id":"door")", "", "", ""},
        Row{R"("stream_control","action":"keyframe","camera_id":"door")", "", "", ""},
        Row{R"("stream_control","action":"snapshot","camera_id":"door")", "", "", ""},
        Row{R"("stream_control","action":"quality","camera_id":"door","quality":"low")", "", "", ""},
        Row{R"("stream_control","action":"quality","camera_id":"door","quality":{"mode":"low"})", "", "", ""},
        Row{R"("stream_control","action":"quality","camera_id":"door","quality":{"width":640})", "forbidden",
            "", ""},
        Row{R"("stream_control","action":"quality","camera_id":"door","quality":{"mode":"auto","max_bitrate_kbps":900})",
            "forbidden", "", ""},
        Row{R"("stream_control","action":"quality","camera_id":"door","quality":"low","scope":"camera")",
            "forbidden", "", ""},
        Row{R"("stream_control","action":"enable","camera_id":"door")", "forbidden", "", ""},
        Row{R"("stream_control","action":"disable","camera_id":"*")", "forbidden", "", ""},
        Row{R"("stream_control","action":"clip","camera_id":"door")", "unsupported", "unsupported",
            "unsupported"},
        Row{R"("analytics")", "", "", ""},
        Row{R"("ack","journal":"j","seq":1)", "forbidden", "forbidden", "forbidden"},
        Row{R"("sessions")", "forbidden", "forbidden", ""},
        Row{R"("sessions","action":"revoke","session":"77")", "forbidden", "forbidden", "not_found"},
        Row{R"("config","action":"get")", "forbidden", "forbidden", ""},
        Row{R"("config","action":"check","config":{})", "forbidden", "forbidden", ""},
        Row{R"("config","action":"apply","config":{},"trial_s":5)", "forbidden", "forbidden", ""},
        Row{R"("config","action":"confirm")", "forbidden", "forbidden", ""},
        Row{R"("config","action":"revert")", "forbidden", "forbidden", ""},
        Row{R"("config","action":"explode")", "unsupported", "unsupported", "unsupported"},
        Row{R"("config")", "bad_request", "bad_request", "bad_request"},
        Row{R"("config","action":"apply")", "bad_request", "bad_request", "bad_request"},
        Row{R"("config","action":"apply","config":[])", "bad_request", "bad_request", "bad_request"},
        Row{R"("config","action":"apply","config":{},"trial_s":601)", "bad_request", "bad_request",
            "bad_request"},
        Row{R"("probe")", "forbidden", "forbidden", ""},
        Row{R"("probe","source":"test://bars")", "forbidden", "forbidden", ""},
        Row{R"("probe","source":7)", "bad_request", "bad_request", "bad_request"},
        Row{R"("diagnostics")", "forbidden", "forbidden", ""},
        Row{R"("rotate_token")", "forbidden", "forbidden", "unsupported"},
        Row{R"("no_such_type")", "unsupported", "unsupported", "unsupported"},
        Row{R"("system")", "unsupported", "unsupported", "unsupported"},
        Row{R"("stream_control","action":"explode","camera_id":"door")", "unsupported", "unsupported",
            "unsupported"},
    };
    for (const Row& row : kRows) {
        const std::array kRoles{std::pair{"viewer", row.viewer}, std::pair{"operator", row.operator_},
                                std::pair{"admin", row.admin}};
        for (const auto& each : kRoles) {
            const char* const role = each.first;
            const char* const expected = each.second;
            CAPTURE(row.text);
            CAPTURE(role);
            auto bench = SessionBench::as(role);
            bench.say(std::string(R"({"id":1,"type":)") + row.text + "}");
            const auto heard = bench.hear();
            if (std::string(expected).empty()) {
                for (const Heard& item : heard) CHECK(item.type != "error");
            } else {
                REQUIRE(heard.size() == 1);
                CHECK(heard[0].str("code") == expected);
                CHECK(bench.agent->commands.empty());
            }
        }
    }
}

TEST_CASE("of every kind of request the table alone says who may") {
    std::map<std::pair<std::string, std::string>, std::string> examples;
    for (const auto& path : filesIn(protocolFolder() / "examples" / "peer_to_agent", ".json")) {
        const std::string text = readFile(path);
        const auto json = parseJson(text);
        REQUIRE(json);
        const bool control = (*json)["type"] == "stream_control";
        // Of several the last: of the qualities the preset, which is the least that the table speaks of.
        examples[{(*json)["type"].GetString(), control ? (*json)["action"].GetString() : ""}] = text;
    }
    for (const MessageRule& rule : messageRules()) {
        const auto example = examples.find({rule.type, rule.action});
        CAPTURE(rule.type);
        CAPTURE(rule.action);
        REQUIRE(example != examples.end());
        for (const Role role : {Role::viewer, Role::operator_, Role::admin}) {
            CAPTURE(nameOf(role));
            auto bench = SessionBench::as(nameOf(role));
            bench.say(example->second);
            const auto heard = bench.hear();
            const bool refused = std::ranges::any_of(heard, [](const Heard& item) {
                return item.type == "error" && item.str("code") == "forbidden" &&
                       item.str("message").starts_with("not allowed to the role");
            });
            CHECK(refused == !allows(role, rule.least));
            if (refused) CHECK(bench.agent->commands.empty());
        }
        examples.erase(example);
    }
    // What is left needs no role: who somebody is, and what hubs answer.
    for (const auto& left : examples) {
        const std::string& type = left.first.first;
        CAPTURE(type);
        CHECK((type == "auth" || type == "system" || type == "error"));
    }
}

TEST_CASE("a token bound to cameras sees and moves no others") {
    auto bench = SessionBench::as("door-only");
    bench.say(R"({"type":"stream_control","action":"start","camera_id":"cam_123","id":1})");
    CHECK(bench.only("error").str("code") == "forbidden");
    bench.say(R"({"type":"stream_control","action":"start","camera_id":"nothing","id":2})");
    CHECK(bench.only("error").str("code") == "forbidden");  // not even whether there is one
    bench.say(R"({"type":"subscribe","topics":["cam_123/detections"],"id":3})");
    CHECK(bench.only("error").str("code") == "forbidden");
    bench.say(R"({"type":"status","id":4})");
    const auto status = bench.only("system/status");
    REQUIRE(status.data()["cameras"].Size() == 1);
    CHECK(status.data()["cameras"][0]["camera_id"].GetString() == std::string("door"));

    bench.say(R"({"type":"subscribe","topics":["*/detections"],"id":5})");
    bench.hear();
    Detections detections;
    detections.cameraId = "cam_123";
    bench.session->deliver(detections);
    bench.session->deliver(faceOf("cam_123", 1, FacePhase::enter));
    bench.session->cameraChanged(cameraOf("cam_123", CameraState::error));
    CHECK_FALSE(bench.session->hasOutput());

    bench.say(R"({"type":"stream_control","action":"keyframe","camera_id":"*","id":6})");
    REQUIRE(bench.agent->commands.size() == 1);
    CHECK(bench.agent->commands[0].cameraId == "door");
}

TEST_CASE("an unknown camera is told") {
    auto bench = SessionBench::as("viewer");
    bench.say(R"({"type":"stream_control","action":"start","camera_id":"attic","id":1})");
    const auto error = bench.only("error");
    CHECK(error.str("code") == "unknown_camera");
    CHECK(error.str("camera_id") == "attic");
}

TEST_CASE("a quality out of range names its field and range, and nothing is asked of the agent") {
    struct Row {
        const char* wish;
        const char* field;
        const char* range;
    };
    constexpr std::array kRows{
        Row{R"({"bitrate_kbps":49})", "quality.bitrate_kbps", "50 to 50000"},
        Row{R"({"bitrate_kbps":50001})", "quality.bitrate_kbps", "50 to 50000"},
        Row{R"({"bitrate_kbps":"fast"})", "quality.bitrate_kbps", "50 to 50000"},
        Row{R"({"min_bitrate_kbps":1})", "quality.min_bitrate_kbps", "50 to 50000"},
        Row{R"({"max_bitrate_kbps":1e9})", "quality.max_bitrate_kbps", "50 to 50000"},
        Row{R"({"min_bitrate_kbps":900,"max_bitrate_kbps":800})", "quality.min_bitrate_kbps",
            "max_bitrate_kbps"},
        Row{R"({"width":63})", "quality.width", "64 to 7680"},
        Row{R"({"width":7681})", "quality.width", "64 to 7680"},
        Row{R"({"height":4321})", "quality.height", "64 to 4320"},
        Row{R"({"framerate":0.5})", "quality.framerate", "1 to 120"},
        Row{R"({"framerate":121})", "quality.framerate", "1 to 120"},
        Row{R"({"mode":"best"})", "quality.mode", "custom"},
        Row{R"("best")", "quality", "low"},
        Row{R"(7)", "quality", "string"},
    };
    for (const Row& row : kRows) {
        CAPTURE(row.wish);
        auto bench = SessionBench::as("operator");
        bench.say(std::string(
                      R"({"type":"stream_control","action":"quality","camera_id":"door","id":1,"quality":)") +
                  row.wish + "}");
        const auto error = bench.only("error");
        CHECK(error.str("code") == "bad_request");
        CHECK(error.str("field") == row.field);
        CHECK(error.str("message").find(row.range) != std::string::npos);
        CHECK(error.str("message").find(row.field) == 0);
        CHECK(bench.agent->commands.empty());
    }
}

TEST_CASE("a quality wish arrives as it was said") {
    auto bench = SessionBench::as("operator");
    bench.say(R"({"type":"stream_control","action":"quality","camera_id":"door","scope":"camera","id":1,)"
              R"("quality":{"bitrate_kbps":1500,"width":640,"height":360,"framerate":12.5}})");
    const auto wish = bench.agent->last<SetQuality>();
    CHECK(wish.mode == "custom");
    CHECK(wish.bitrateKbps == 1500);
    CHECK(wish.width == 640);
    CHECK(wish.frameRate == 12.5);
    CHECK(wish.forCamera);
    CHECK(bench.agent->commands.back().role == Role::operator_);
    bench.finish(QualityInForce{"custom", 1500, {640, 360}, 12.5});
    const auto status = bench.only("stream_status");
    CHECK(status.id() == "1");
    CHECK(status.str("target_bitrate_kbps") == "1500");
    CHECK(status.str("width") == "640");
    CHECK(status.str("quality") == "custom");
    CHECK(status.str("streaming") == "false");
}

TEST_CASE("fields of other shapes are bad requests that name the field") {
    struct Row {
        const char* text;
        const char* field;
    };
    constexpr std::array kRows{
        Row{R"({"id":1})", "type"},
        Row{R"({"type":7})", "type"},
        Row{R"({"type":"status","id":-1})", "id"},
        Row{R"({"type":"status","id":1.5})", "id"},
        Row{R"({"type":"status","id":9007199254740992})", "id"},
        Row{R"({"type":"status","id":{}})", "id"},
        Row{R"({"type":"status","ttl_ms":-1})", "ttl_ms"},
        Row{R"({"type":"auth"})", "token"},
        Row{R"({"type":"auth","token":7})", "token"},
        Row{R"({"type":"auth","token":"viewer","features":"ack"})", "features"},
        Row{R"({"type":"auth","token":"viewer","protocol":"1"})", "protocol"},
        Row{R"({"type":"stream_control","camera_id":"door"})", "action"},
        Row{R"({"type":"stream_control","action":"start"})", "camera_id"},
        Row{R"({"type":"stream_control","action":"start","camera_id":"a b"})", "camera_id"},
        Row{R"({"type":"stream_control","action":"start","camera_id":["door","*"]})", "camera_id"},
        Row{R"({"type":"stream_control","action":"start","camera_id":{}})", "camera_id"},
        Row{R"({"type":"stream_control","action":"start","camera_id":"door","format":"mp4"})", "format"},
        Row{R"({"type":"stream_control","action":"start","camera_id":"door","codecs":"avc1"})", "codecs"},
        Row{R"({"type":"stream_control","action":"quality","camera_id":"door"})", "quality"},
        Row{R"({"type":"stream_control","action":"quality","camera_id":"door","quality":"low","scope":"all"})",
            "scope"},
        Row{R"({"type":"subscribe"})", "topics"},
        Row{R"({"type":"subscribe","topics":["door"]})", "topics"},
        Row{R"({"type":"subscribe","topics":["door/error"],"filter":7})", "filter"},
        Row{R"({"type":"subscribe","topics":["door/error"],"filter":{"min_confidence":2}})",
            "filter.min_confidence"},
        Row{R"({"type":"subscribe","topics":["door/error"],"filter":{"phases":["now"]}})", "filter.phases"},
        Row{R"({"type":"subscribe","topics":["door/error"],"rate_hz":0})", "rate_hz"},
        Row{R"({"type":"heartbeat","t0":"now"})", "t0"},
        Row{R"({"type":"media_ack","sequence":1})", "channel"},
        Row{R"({"type":"media_ack","channel":65536,"sequence":1})", "channel"},
        Row{R"({"type":"ack","seq":1})", "journal"},
    };
    for (const Row& row : kRows) {
        CAPTURE(row.text);
        auto bench = SessionBench::as("admin");
        bench.say(row.text);
        const auto error = bench.only("error");
        CHECK(error.str("code") == "bad_request");
        CHECK(error.str("field") == row.field);
        CHECK_FALSE(bench.session->closeWish());
        CHECK(bench.agent->commands.empty());
    }
}

TEST_CASE("what is not JSON is told where") {
    auto bench = SessionBench::as("viewer");
    for (const char* text :
         {"", "{", "nonsense", "{\"type\":\"status\"} {}", "\"\xC3\x28\"", "[1,2]", "null"}) {
        bench.say(text);
        CHECK(bench.only("error").str("code") == "bad_request");
    }
}

TEST_CASE("a heartbeat carries three times, the first as it came") {
    auto bench = SessionBench::as("viewer");
    bench.say(R"({"type":"heartbeat","t0":1645678900123.25,"id":1})");
    const auto heartbeat = bench.only("heartbeat");
    CHECK(heartbeat.str("t0") == "1645678900123.25");
    CHECK(heartbeat.data()["t1"].GetUint64() == microsecondsOf(bench.clock->utc()));
    CHECK(heartbeat.data()["t2"].GetUint64() >= heartbeat.data()["t1"].GetUint64());
    bench.say(R"({"type":"heartbeat"})");
    CHECK(bench.only("heartbeat").str("t0").empty());
}

TEST_CASE("several cameras are one request with one answer") {
    auto bench = SessionBench::as("operator");
    bench.say(
        R"({"type":"stream_control","action":"keyframe","camera_id":["door","attic","cam_123","door"],"id":1})");
    REQUIRE(bench.agent->commands.size() == 2);
    CHECK_FALSE(bench.session->hasOutput());
    bench.session->complete(bench.agent->commands[1].ticket, Done{});
    CHECK_FALSE(bench.session->hasOutput());
    bench.session->complete(bench.agent->commands[0].ticket,
                            Refusal{ErrorCode::rateLimited, "one a second", ""});
    const auto answer = bench.only("ok");
    CHECK(answer.id() == "1");
    REQUIRE(answer.data()["results"].Size() == 3);
    for (const JsonValue& result : answer.data()["results"].GetArray()) {
        const std::string camera = result["camera_id"].GetString();
        CHECK(std::string(result["type"].GetString()) == (camera == "door" ? "ok" : "error"));
    }
}

TEST_CASE("video of several cameras is announced as it comes, and answered when all is known") {
    auto bench = SessionBench::as("viewer");
    bench.say(R"({"type":"stream_control","action":"start","camera_id":"*","id":1})");
    REQUIRE(bench.agent->commands.size() == 2);
    bench.session->complete(bench.agent->commands[0].ticket, SessionBench::grantOf(5, 1, 100));
    const auto first = bench.hear();
    CHECK(typesOf(first) == std::vector<std::string>{"stream_status", "binary", "binary"});
    CHECK(first[0].id().empty());
    bench.session->complete(bench.agent->commands[1].ticket, SessionBench::grantOf(6, 2, 70));
    CHECK(typesOf(bench.hear()) == std::vector<std::string>{"stream_status", "ok", "binary", "binary"});
}

TEST_CASE("no camera is an answer as well") {
    auto bench = SessionBench::as("viewer");
    bench.say(R"({"type":"stream_control","action":"start","camera_id":[],"id":1})");
    CHECK(bench.only("ok").data()["results"].Size() == 0);
}

TEST_CASE("requests that wait for the agent are bounded") {
    auto bench = SessionBench::as("operator");
    std::string code;
    for (int i = 0; i < 3000 && code.empty(); ++i) {
        bench.say(R"({"type":"stream_control","action":"keyframe","camera_id":"door","id":)" +
                  std::to_string(i) + "}");
        if (bench.session->hasOutput()) code = bench.only("error").str("code");
    }
    CHECK(code == "busy");
}

TEST_CASE("a subscription says what is in force and then how things are") {
    auto bench = SessionBench::as("viewer");
    bench.view->liveFaces["door"][7] = faceOf("door", 7, FacePhase::update, 0.9F);
    bench.view->liveFaces["door"][8] = faceOf("door", 8, FacePhase::update, 0.3F);
    bench.say(R"({"type":"subscribe","topics":["door/face_detected","*/stream_status","system"],)"
              R"("filter":{"min_confidence":0.5},"rate_hz":4,"id":1})");
    const auto heard = bench.hear();
    // "*/face_detected" of every peer lets the second face through as well: a message goes to who matches
    // once.
    CHECK(typesOf(heard) == std::vector<std::string>{"ok", "system/status", "stream_status", "stream_status",
                                                     "face_detected", "face_detected"});
    const JsonValue& inForce = heard[0].data()["subscriptions"];
    CHECK(inForce["door/face_detected"]["rate_hz"].GetDouble() == 4.0);
    CHECK(inForce["door/face_detected"]["filter"]["min_confidence"].GetDouble() == 0.5);
    CHECK(inForce.HasMember("*/error"));
    CHECK(heard[4].str("replay") == "true");
    CHECK(heard[4].str("phase") == "enter");

    bench.say(R"({"type":"unsubscribe","topics":["*/face_detected"],"id":2})");
    CHECK_FALSE(bench.only("ok").data()["subscriptions"].HasMember("*/face_detected"));
    bench.session->deliver(faceOf("door", 9, FacePhase::enter, 0.3F));
    CHECK_FALSE(bench.session->hasOutput());
    bench.session->deliver(faceOf("door", 10, FacePhase::enter, 0.7F));
    CHECK(bench.only("face_detected").str("track_id") == "10");
}

TEST_CASE("what a subscription cannot have yet is refused and changes nothing") {
    auto bench = SessionBench::as("viewer");
    bench.say(R"({"type":"subscribe","topics":["door/detections"],"id":1,"since_seq":4})");
    CHECK(bench.only("error").str("code") == "unsupported");
    bench.say(R"({"type":"unsubscribe","topics":[],"id":2})");
    CHECK(bench.only("ok").data()["subscriptions"].MemberCount() == 4);
}
