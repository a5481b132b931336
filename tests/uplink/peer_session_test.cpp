// The life of a session: who it is, how long it may take, how it ends.
#include "uplink/peer_session.hpp"

#include <doctest/doctest.h>

#include <string>

#include "tests/uplink/session_bench.hpp"

using namespace std::chrono_literals;
using namespace edgecam;
using namespace edgecam::uplink;
using namespace edgecam::uplink::test;

namespace {

int closeCode(const SessionBench& bench) {
    return bench.session->closeWish() ? bench.session->closeWish()->code : 0;
}

}  // namespace

TEST_CASE("the right token is answered by who one is now, and then by how the agent is") {
    auto bench = SessionBench::viewer();
    CHECK_FALSE(bench.session->authenticated());
    CHECK_FALSE(bench.session->hasOutput());
    bench.say(R"({"type":"auth","token":"operator","id":"a","features":[],"protocol":[1,2]})");
    const auto heard = bench.hear();
    CHECK(typesOf(heard) == std::vector<std::string>{"system/authenticated", "system/status"});
    CHECK(heard[0].id() == "\"a\"");
    CHECK(heard[0].str("role") == "operator");
    CHECK(heard[0].str("session") == "9");
    CHECK(heard[0].str("protocol") == "1");
    CHECK(heard[1].id().empty());
    CHECK(heard[1].str("status") == "online");
    CHECK(heard[1].data()["cameras"].Size() == 2);
    CHECK(heard[1].data()["agent"]["uptime_s"].GetInt() == 60);
}

TEST_CASE("a wrong token is told and then closed with 4401, with or without features") {
    for (const char* features : {"", R"(,"features":["ack"])"}) {
        auto bench = SessionBench::viewer();
        bench.say(std::string(R"({"type":"auth","token":"wrong","id":1)") + features + "}");
        CHECK(bench.only("error").str("code") == "unauthorized");
        CHECK(closeCode(bench) == 4401);
        bench.say(R"({"type":"auth","token":"operator"})");  // too late
        CHECK_FALSE(bench.session->authenticated());
        CHECK_FALSE(bench.session->hasOutput());
    }
}

TEST_CASE("who says nothing in time is told and closed with 4408") {
    auto bench = SessionBench::viewer();
    bench.later(4900ms);
    CHECK(closeCode(bench) == 0);
    bench.later(100ms);
    CHECK(bench.only("error").str("code") == "unauthorized");
    CHECK(closeCode(bench) == 4408);
}

TEST_CASE("before auth nothing is answered but auth") {
    auto bench = SessionBench::viewer();
    bench.say(R"({"type":"status","id":1})");
    const auto error = bench.only("error");
    CHECK(error.str("code") == "unauthorized");
    CHECK(error.id() == "1");
    bench.session->cameraChanged(cameraOf("cam_123", CameraState::error));
    bench.session->deliver(faceOf("cam_123", 1, FacePhase::enter));
    CHECK_FALSE(bench.session->hasOutput());
    bench.say(R"({"type":"auth","token":"viewer","id":1})");  // the id was not used up by a stranger
    CHECK(bench.only("system/authenticated").id() == "1");
}

TEST_CASE("a bearer token at the handshake is as good as auth") {
    SessionBench bench;
    bench.session = PeerSession::forViewer(9, {}, *bench.access, Grant{Role::viewer, {}}, *bench.view,
                                           *bench.agent, *bench.clock);
    CHECK(bench.session->authenticated());
    CHECK(typesOf(bench.hear()) == std::vector<std::string>{"system/authenticated", "system/status"});
    bench.later(20s);
    CHECK(closeCode(bench) == 0);
}

TEST_CASE("auth may be repeated: the role and the cameras follow at once") {
    auto bench = SessionBench::as("operator");
    bench.startVideo();
    bench.say(R"({"type":"auth","token":"door-only"})");
    CHECK(typesOf(bench.hear()) == std::vector<std::string>{"system/authenticated", "system/status"});
    CHECK_FALSE(bench.session->follows(5));
    CHECK(bench.agent->commands.back().ticket == 0);
    CHECK(bench.agent->count<StopStream>() == 1);
    bench.session->deliver(faceOf("cam_123", 1, FacePhase::enter));
    bench.session->cameraChanged(cameraOf("cam_123", CameraState::error));
    bench.play(deltaOf(5, 1, 101));
    CHECK_FALSE(bench.session->hasOutput());
    bench.session->deliver(faceOf("door", 1, FacePhase::enter));
    CHECK(bench.only("face_detected").str("camera_id") == "door");

    bench.say(R"({"type":"auth","token":"nonsense"})");
    CHECK(bench.only("error").str("code") == "unauthorized");
    CHECK(closeCode(bench) == 4401);
}

TEST_CASE("what is known of a face goes with its events, and nothing that is not") {
    auto bench = SessionBench::as("viewer");
    bench.session->deliver(faceOf("door", 1, FacePhase::enter));
    const Heard enter = bench.only("face_detected");
    for (const char* field : {"zones", "zones_entered", "zones_left", "best", "path", "duration_s"}) {
        CAPTURE(field);
        CHECK_FALSE(enter.data().HasMember(field));
    }
    CHECK_FALSE(enter.data()["face"].HasMember("quality"));

    FaceEvent leave = faceOf("door", 1, FacePhase::leave);
    leave.quality = 0.51239F;
    leave.zones = {"till"};
    leave.zonesEntered = {"gate", "till"};
    leave.zonesLeft = {"gate", "till"};
    leave.best = BestShot{0.75F, {99, leave.firstSeen, {640, 360}}, {0.5F, 0.25F, 0.125F, 0.25F}};
    leave.path = {{{0.25F, 0.5F}, Microseconds(0)}, {{0.75F, 0.5F}, Microseconds(123'449)}};
    bench.session->deliver(leave);
    const Heard heard = bench.only("face_detected");
    CHECK(heard.str("duration_s") == "0.123");
    CHECK(heard.str("zones") == R"(["till"])");
    CHECK(heard.str("zones_entered") == R"(["gate","till"])");
    CHECK(heard.str("zones_left") == R"(["gate","till"])");
    CHECK(heard.str("path") == "[[0.25,0.5,0],[0.75,0.5,0.123]]");
    CHECK(
        heard.str("best") ==
        R"({"quality":0.75,"box":[0.5,0.25,0.125,0.25],"frame":{"sequence":99,"capture_us":1700000000000007,"width":640,"height":360}})");
    CHECK(heard.data()["face"]["quality"].GetDouble() == doctest::Approx(0.5124));
}

TEST_CASE("a grant that comes after the token was narrowed is not followed") {
    auto bench = SessionBench::as("operator");
    bench.say(R"({"type":"stream_control","action":"start","camera_id":"cam_123","id":1})");
    const TicketId ticket = bench.agent->commands.back().ticket;
    bench.say(R"({"type":"auth","token":"door-only"})");
    bench.session->complete(ticket, SessionBench::grantOf(5, 1, 100));
    CHECK(bench.only("error").str("code") == "forbidden");
    CHECK_FALSE(bench.session->follows(5));
}

TEST_CASE("a peer that speaks only other protocols is told so") {
    auto bench = SessionBench::viewer();
    bench.say(R"({"type":"auth","token":"viewer","protocol":[2]})");
    CHECK(bench.only("error").str("code") == "unsupported");
    CHECK_FALSE(bench.session->authenticated());
}

TEST_CASE("binary and too big messages end the connection, whatever the peer knows") {
    for (const char* auth :
         {R"({"type":"auth","token":"viewer"})", R"({"type":"auth","token":"viewer","features":[]})"}) {
        auto binary = SessionBench::viewer();
        binary.say(auth);
        binary.session->receiveBinary();
        CHECK(closeCode(binary) == 4400);
        auto big = SessionBench::viewer();
        big.say(auth);
        big.session->receiveTooLarge();
        CHECK(closeCode(big) == 1009);
        CHECK(big.only("error").str("code") == "too_large");
    }
    SessionLimits limits;
    limits.maxMessageBytes = 20;
    auto bench = SessionBench::viewer(limits);
    bench.say(R"({"type":"auth","token":"viewer"})");
    CHECK(closeCode(bench) == 1009);
}

TEST_CASE("twenty bad messages in ten seconds are too many, over a longer time they are not") {
    auto patient = SessionBench::as("viewer");
    for (int i = 0; i < 60; ++i) {
        patient.say("{");
        patient.later(600ms);
    }
    CHECK(closeCode(patient) == 0);
    CHECK(patient.hear().size() == 60);

    auto bench = SessionBench::as("viewer");
    for (int i = 0; i < 19; ++i) bench.say(R"({"type":"heartbeat","t0":"no number"})");
    CHECK(closeCode(bench) == 0);
    bench.say("[]");
    CHECK(closeCode(bench) == 4400);
    CHECK(bench.hear().size() == 20);
}

TEST_CASE("what a peer may not or cannot have is not a bad message") {
    auto bench = SessionBench::as("viewer");
    for (int i = 0; i < 30; ++i) {
        bench.say(R"({"type":"config","action":"get"})");
        bench.say(R"({"type":"no_such_type"})");
    }
    CHECK(closeCode(bench) == 0);
}

TEST_CASE(
    "a planned end is told; without features the connection just drops, as the guide's client wants it") {
    auto plain = SessionBench::as("viewer");
    plain.session->goAway(2500ms);
    const auto heard = plain.hear();
    CHECK(typesOf(heard) == std::vector<std::string>{"system/status", "system/going_away"});
    CHECK(heard[0].str("status") == "stopping");
    CHECK(heard[1].str("retry_after_s") == "2.5");
    CHECK(closeCode(plain) == 1006);

    auto knowing = SessionBench::viewer();
    knowing.say(R"({"type":"auth","token":"viewer","features":[]})");
    knowing.session->goAway(1s);
    CHECK(closeCode(knowing) == 1001);
}

TEST_CASE("a closing session says the rest of its answers and nothing else") {
    auto bench = SessionBench::as("viewer");
    bench.startVideo();
    bench.play(deltaOf(5, 1, 101));
    bench.session->deliver(faceOf("cam_123", 1, FacePhase::enter));
    bench.say(R"({"type":"status"})");
    bench.session->goAway(1s);
    bench.play(deltaOf(5, 1, 102));
    CHECK(typesOf(bench.hear()) ==
          std::vector<std::string>{"system/status", "system/status", "system/going_away"});
    CHECK_FALSE(bench.session->hasOutput());
}

TEST_CASE("a peer that asks but does not read is let go") {
    SessionLimits limits;
    limits.lanes.answerBytes = 2000;
    auto bench = SessionBench::as("viewer", limits);
    for (int i = 0; i < 50; ++i) bench.say(R"({"type":"heartbeat"})");
    CHECK(closeCode(bench) == 1006);
    CHECK_FALSE(bench.session->hasOutput());

    auto knowing = SessionBench::viewer(limits);
    knowing.say(R"({"type":"auth","token":"viewer","features":[]})");
    for (int i = 0; i < 50; ++i) knowing.say(R"({"type":"heartbeat"})");
    CHECK(closeCode(knowing) == 4410);
}

TEST_CASE("a peer whose socket takes nothing is let go as it understands it") {
    auto bench = SessionBench::as("viewer");
    bench.session->readsTooSlowly();
    CHECK(closeCode(bench) == 1006);
    auto knowing = SessionBench::viewer();
    knowing.say(R"({"type":"auth","token":"viewer","features":[]})");
    knowing.session->readsTooSlowly();
    CHECK(closeCode(knowing) == 4410);
    CHECK_FALSE(knowing.session->hasOutput());
}

TEST_CASE("the agent hears of the end of every session that was somebody, and of no other") {
    auto stranger = SessionBench::viewer();
    stranger.session.reset();
    CHECK(stranger.agent->ended.empty());
    auto bench = SessionBench::as("viewer");
    bench.session.reset();
    CHECK(bench.agent->ended == std::vector<SessionId>{9});
}

TEST_CASE("the uplink says auth first, and runs as everybody else once the hub has answered") {
    HubCredentials credentials;
    credentials.token = "hub-token";
    credentials.start = {"cam_123"};
    auto bench = SessionBench::hub(credentials);
    const auto auth = bench.only("auth");
    CHECK((*auth.json)["token"].GetString() == std::string("hub-token"));
    CHECK((*auth.json)["agent_id"].GetString() == std::string("box-7"));
    CHECK((*auth.json)["instance"].GetString() == std::string("a3c8e1d2"));
    CHECK((*auth.json)["purpose"].GetString() == std::string("all"));
    CHECK((*auth.json)["cameras"].Size() == 2);

    bench.session->deliver(faceOf("cam_123", 1, FacePhase::enter));
    bench.say(R"({"type":"status","id":1})");
    CHECK(bench.only("error").str("code") == "unauthorized");
    CHECK_FALSE(bench.session->authenticated());

    bench.say(R"({"type":"system","event":"authenticated","data":{"features":[]}})");
    CHECK(bench.session->authenticated());
    CHECK(typesOf(bench.hear()) == std::vector<std::string>{"system/status"});
    REQUIRE(bench.agent->commands.size() == 1);
    CHECK(bench.agent->last<StartStream>().codecs == std::vector<std::string>{"avc1", "hvc1"});
    bench.finish(SessionBench::grantOf(5, 1, 100));
    const auto heard = bench.hear();
    CHECK(typesOf(heard) == std::vector<std::string>{"stream_status", "binary", "binary"});
    CHECK(heard[0].id().empty());

    bench.say(R"({"type":"stream_control","action":"disable","camera_id":"door","id":5})");
    bench.finish(Done{});
    CHECK(bench.only("ok").id() == "5");
    bench.say(R"({"type":"config","action":"get","id":6})");
    CHECK(bench.only("error").str("code") == "forbidden");  // an operator, whatever it says
    bench.say(R"({"type":"auth","token":"admin","id":7})");
    CHECK(bench.only("error").str("code") == "unsupported");

    bench.session->goAway(1s);
    CHECK(closeCode(bench) == 1001);
}

TEST_CASE("a hub that says nothing, or no, ends the uplink's session") {
    auto silent = SessionBench::hub({});
    silent.hear();
    silent.later(9900ms);
    CHECK(closeCode(silent) == 0);
    silent.later(100ms);
    CHECK(closeCode(silent) == 4408);

    for (const auto& [word, code] : {std::pair{"unauthorized", 4401}, std::pair{"forbidden", 4403},
                                     std::pair{"conflict", 4409}, std::pair{"busy", 0}}) {
        auto bench = SessionBench::hub({});
        bench.hear();
        bench.say(std::string(R"({"type":"error","data":{"code":")") + word + R"("}})");
        CHECK(closeCode(bench) == code);
        CHECK_FALSE(bench.session->hasOutput());
    }
}

TEST_CASE("a hub's answers are never answered") {
    auto bench = SessionBench::hub({});
    bench.say(R"({"type":"system","event":"authenticated"})");
    bench.hear();
    for (const char* text :
         {R"({"type":"error","data":{"code":"internal"},"id":3})", R"({"type":"ok","id":3})",
          R"({"type":"system","event":"status","data":{}})", R"({"type":"error","data":7})",
          R"({"type":"system","event":"authenticated","data":{"features":7}})"}) {
        bench.say(text);
        CHECK_FALSE(bench.session->hasOutput());
    }
}

TEST_CASE("a hub may bring its subscriptions, and the config's cameras wait until they are there") {
    HubCredentials credentials;
    credentials.start = {"yard"};
    auto bench = SessionBench::hub(credentials);
    bench.say(
        R"({"type":"system","event":"authenticated","data":{"subscriptions":{"door/detections":{"rate_hz":2}}}})");
    bench.hear();
    bench.session->deliver(faceOf("door", 1, FacePhase::enter));
    CHECK_FALSE(bench.session->hasOutput());
    Detections detections;
    detections.cameraId = "door";
    bench.session->deliver(detections);
    CHECK(bench.only("detections").str("camera_id") == "door");

    CHECK(bench.agent->commands.empty());
    bench.view->cameras["yard"] = cameraOf("yard");
    bench.session->cameraChanged(bench.view->cameras["yard"]);
    REQUIRE(bench.agent->commands.size() == 1);
    CHECK(bench.agent->commands[0].cameraId == "yard");
}

TEST_CASE("a start of the config that was refused is tried again after some seconds, unless it cannot be") {
    HubCredentials credentials;
    credentials.start = {"door"};
    auto bench = SessionBench::hub(credentials);
    bench.say(R"({"type":"system","event":"authenticated","data":{}})");
    REQUIRE(bench.agent->count<StartStream>() == 1);
    bench.finish(Refusal{ErrorCode::busy, "too many encoders", ""});
    bench.later(4900ms);
    CHECK(bench.agent->count<StartStream>() == 1);
    bench.later(200ms);
    CHECK(bench.agent->count<StartStream>() == 2);
    bench.finish(Refusal{ErrorCode::unsupported, "no codec in common", ""});
    bench.later(60s);
    CHECK(bench.agent->count<StartStream>() == 2);
}

TEST_CASE("a start of the config that the hub stopped is not tried again") {
    HubCredentials credentials;
    credentials.start = {"door"};
    auto bench = SessionBench::hub(credentials);
    bench.say(R"({"type":"system","event":"authenticated","data":{}})");
    bench.finish(Refusal{ErrorCode::busy, "too many encoders", ""});
    bench.say(R"({"type":"stream_control","action":"stop","camera_id":"door"})");
    bench.later(60s);
    CHECK(bench.agent->count<StartStream>() == 1);
}
