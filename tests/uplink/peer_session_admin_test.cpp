// Tokens that end, change or are taken away while somebody uses them; who is connected.
#include <doctest/doctest.h>

#include <string>
#include <utility>

#include "tests/uplink/session_bench.hpp"
#include "tests/uplink/signing_key.hpp"
#include "uplink/message_request.hpp"

using namespace std::chrono_literals;
using namespace edgecam;
using namespace edgecam::uplink;
using namespace edgecam::uplink::test;

namespace {

/// A bench whose agent takes tokens of a signer, and one such token that ends in `holds`.
struct SignedBench {
    SigningKey signer = SigningKey::es256();
    SessionBench bench = SessionBench::viewer();

    SignedBench() { bench.access->replace({TokenRule::of("static", Role::viewer)}, {key()}); }
    [[nodiscard]] TokenKey key(Role most = Role::operator_) const {
        return {.name = "console",
                .publicKey = signer.publicKey(),
                .audience = "box-7",
                .issuer = {},
                .most = most,
                .cameras = {}};
    }
    [[nodiscard]] std::string token(Microseconds holds, const std::string& role = "operator") const {
        const auto end =
            std::chrono::duration_cast<std::chrono::seconds>((bench.clock->utc() + holds).time_since_epoch());
        return signer.sign(R"({"sub":"ann","aud":"box-7","role":")" + role + R"(","exp":)" +
                           std::to_string(end.count()) + "}");
    }
    void present(const std::string& token) { bench.say(R"({"type":"auth","token":")" + token + R"("})"); }
};

/// Ticks through a span, as the service does.
void pass(SessionBench& bench, Microseconds span) {
    for (Microseconds step{0}; step < span; step += 500ms) bench.later(500ms);
}

}  // namespace

TEST_CASE("a signed token gives its role, is said to end a minute before, and ends") {
    SignedBench with;
    with.present(with.token(100s));
    CHECK(with.bench.only("system/authenticated").str("role") == "operator");
    pass(with.bench, 39s);
    CHECK(with.bench.hear().empty());
    pass(with.bench, 2s);
    const auto warned = with.bench.only("system/reauthenticate");
    CHECK(warned.data()["ends_in_s"].GetDouble() == doctest::Approx(60).epsilon(0.02));
    pass(with.bench, 58s);
    CHECK_FALSE(with.bench.session->closeWish());
    pass(with.bench, 2s);
    REQUIRE(with.bench.session->closeWish());
    CHECK(with.bench.session->closeWish()->code == 4411);
}

TEST_CASE("who shows a new token in time stays, with the role of the new one") {
    SignedBench with;
    with.present(with.token(70s));
    pass(with.bench, 20s);
    with.bench.hear();
    with.present(with.token(600s, "viewer"));
    CHECK(with.bench.only("system/authenticated").str("role") == "viewer");
    pass(with.bench, 200s);
    CHECK_FALSE(with.bench.session->closeWish());
    with.bench.hear();
    with.bench.say(R"({"type":"stream_control","action":"disable","camera_id":"door","id":1})");
    CHECK(with.bench.only("error").str("code") == "forbidden");
}

TEST_CASE("the wall clock may jump: what was to hold for a minute holds for a minute") {
    SignedBench with;
    with.present(with.token(300s));
    with.bench.clock->jumpWallClock(24h);
    pass(with.bench, 200s);
    CHECK_FALSE(with.bench.session->closeWish());
    pass(with.bench, 101s);
    CHECK(with.bench.session->closeWish());
}

TEST_CASE("a token that is not among the new rules ends at once, the others go on") {
    auto bench = SessionBench::as("operator");
    const auto other = bench.anotherViewer(11);
    other->receiveText(R"({"type":"auth","token":"admin"})");
    bench.access->replace({TokenRule::of("admin", Role::admin), TokenRule::of("fresh", Role::viewer)}, {});
    bench.later(100ms);
    other->tick();
    REQUIRE(bench.session->closeWish());
    CHECK(bench.session->closeWish()->code == 4411);
    CHECK_FALSE(other->closeWish());
}

TEST_CASE("a role that changed holds at once, and its streams end where it does not reach") {
    auto bench = SessionBench::as("operator");
    bench.startVideo();
    bench.access->replace({TokenRule::of("operator", Role::viewer, {"door"})}, {});
    bench.later(100ms);
    CHECK_FALSE(bench.session->closeWish());
    const auto heard = bench.hear();
    REQUIRE_FALSE(heard.empty());
    CHECK(heard[0].type == "system/authenticated");
    CHECK(heard[0].str("role") == "viewer");
    CHECK(bench.agent->count<StopStream>() == 1);
    bench.play(deltaOf(5, 1, 101));
    for (const Heard& item : bench.hear()) CHECK_FALSE(item.binary);
}

TEST_CASE("a signer that is taken away takes its tokens with it") {
    SignedBench with;
    with.present(with.token(600s));
    with.bench.hear();
    with.bench.access->replace({}, {with.key(Role::viewer)});  // may give less now
    pass(with.bench, 1s);
    CHECK(with.bench.session->closeWish()->code == 4411);
}

TEST_CASE("an administrator sees who is there and what each used, never a token") {
    auto bench = SessionBench::as("admin");
    const auto other = bench.anotherViewer(11);
    other->receiveText(R"({"type":"auth","token":"viewer","instance":"tab-1","purpose":"all"})");
    other->tick();
    bench.later(1s);
    bench.hear();
    bench.say(R"({"type":"sessions","id":1})");
    const auto answer = bench.only("sessions");
    const auto& list = answer.data()["sessions"];
    REQUIRE(list.Size() == 2);
    CHECK(list[0]["own"].GetBool());
    CHECK(list[0]["role"].GetString() == std::string("admin"));
    CHECK(list[0]["seconds"].GetDouble() == 1);
    CHECK(list[0]["messages_in"].GetInt() == 1);
    CHECK(list[1]["session"].GetString() == std::string("11"));
    CHECK(list[1]["address"].GetString() == std::string("192.0.2.11"));
    CHECK(list[1]["instance"].GetString() == std::string("tab-1"));
    CHECK(answer.text.find("token\"") == std::string::npos);
}

TEST_CASE("an administrator of some cameras sees and ends only who is bound to those") {
    auto bench = SessionBench::viewer();
    bench.access->replace({TokenRule::of("janitor", Role::admin, {"door"}),
                           TokenRule::of("all", Role::viewer), TokenRule::of("door", Role::viewer, {"door"})},
                          {});
    const auto reachesAll = bench.anotherViewer(10);
    const auto reachesDoor = bench.anotherViewer(11);
    reachesAll->receiveText(R"({"type":"auth","token":"all"})");
    reachesDoor->receiveText(R"({"type":"auth","token":"door"})");
    bench.say(R"({"type":"auth","token":"janitor"})");
    bench.hear();
    bench.say(R"({"type":"sessions","id":1})");
    CHECK(bench.only("sessions").data()["sessions"].Size() == 2);
    bench.say(R"({"type":"sessions","action":"revoke","session":"10","id":2})");
    CHECK(bench.only("error").str("code") == "not_found");
    bench.say(R"({"type":"sessions","action":"revoke","session":"11","id":3})");
    bench.only("ok");
    reachesAll->tick();
    reachesDoor->tick();
    CHECK_FALSE(reachesAll->closeWish());
    CHECK(reachesDoor->closeWish()->code == 4411);
}

TEST_CASE("a session that is ended may come again, one whose token is revoked may not") {
    auto bench = SessionBench::as("admin");
    const auto first = bench.anotherViewer(11);
    first->receiveText(R"({"type":"auth","token":"viewer"})");
    bench.say(R"({"type":"sessions","action":"revoke","session":"11","id":1})");
    bench.only("ok");
    first->tick();
    CHECK(first->closeWish()->code == 4411);

    const auto second = bench.anotherViewer(12);
    second->receiveText(R"({"type":"auth","token":"viewer"})");
    CHECK(second->authenticated());
    bench.say(R"({"type":"sessions","action":"revoke","session":"12","token":true,"id":2})");
    bench.only("ok");
    second->tick();
    CHECK(second->closeWish()->code == 4411);

    const auto third = bench.anotherViewer(13);
    third->receiveText(R"({"type":"auth","token":"viewer"})");
    CHECK_FALSE(third->authenticated());
    CHECK(third->closeWish()->code == 4401);
    bench.later(100ms);
    CHECK_FALSE(bench.session->closeWish());
}

TEST_CASE("what names no session is refused by its field") {
    auto bench = SessionBench::as("admin");
    for (const char* wrong :
         {R"("action":"revoke")", R"("action":"revoke","session":"x")", R"("action":"revoke","session":9)",
          R"("action":"revoke","session":"1 ")", R"("action":"end","session":"9")",
          R"("action":"revoke","session":"9","token":1)"}) {
        CAPTURE(wrong);
        bench.say(std::string(R"({"type":"sessions",)") + wrong + "}");
        CHECK(bench.only("error").str("code") == "bad_request");
    }
}

TEST_CASE("a newer connection of the same program replaces the older") {
    auto bench = SessionBench::viewer();
    bench.say(R"({"type":"auth","token":"viewer","features":[],"instance":"tab-1"})");
    const auto newer = bench.anotherViewer(11);
    newer->receiveText(R"({"type":"auth","token":"viewer","features":[],"instance":"tab-1"})");
    bench.later(100ms);
    newer->tick();
    REQUIRE(bench.session->closeWish());
    CHECK(bench.session->closeWish()->code == 4409);
    CHECK_FALSE(newer->closeWish());
}

TEST_CASE("only a token that the agent made is replaced by rotate_token") {
    auto bench = SessionBench::as("admin");
    bench.say(R"({"type":"rotate_token","id":1})");
    CHECK(bench.only("error").str("code") == "unsupported");
    CHECK(bench.agent->commands.empty());

    auto rule = TokenRule::of("own", Role::admin);
    rule.made = true;
    bench.access->replace({rule}, {});
    bench.say(R"({"type":"auth","token":"own"})");
    bench.hear();
    bench.say(R"({"type":"rotate_token","id":2})");
    CHECK(bench.agent->count<RotateToken>() == 1);
    bench.finish(TokenRotated{.token = "new-one", .oldHoldsFor = 60s});
    const auto answer = bench.only("rotate_token");
    CHECK(answer.str("token") == "new-one");
    CHECK(answer.data()["old_holds_s"].GetDouble() == 60);
}

TEST_CASE("what is asked of the agent as a whole goes there with who asks, and its report is the answer") {
    auto bench = SessionBench::as("admin");
    bench.say(R"({"type":"config","action":"apply","config":{"cameras":[ ]},"trial_s":7,"id":1})");
    CHECK(bench.agent->last<AskConfig>().action == ConfigAction::apply);
    CHECK(bench.agent->last<AskConfig>().candidate == R"({"cameras":[]})");
    CHECK(bench.agent->last<AskConfig>().trial == 7s);
    CHECK(bench.agent->last<AskConfig>().by == "admin");
    bench.finish(Report{R"({"state":"on_trial","source":"trial","file":"/f","needs_restart":[]})"});
    const auto answer = bench.only("config");
    CHECK(answer.id() == "1");
    CHECK(answer.str("state") == "on_trial");
    bench.say(R"({"type":"config","action":"apply","config":{},"id":2})");
    CHECK(bench.agent->last<AskConfig>().trial == 120s);
    bench.finish(Refusal{ErrorCode::badRequest, "/cameras: is missing", "config/cameras"});
    CHECK(bench.only("error").str("field") == "config/cameras");
    bench.say(R"({"type":"probe","source":"test://bars","id":3})");
    CHECK(bench.agent->last<AskProbe>().source == "test://bars");
    bench.say(R"({"type":"diagnostics","id":4})");
    CHECK(bench.agent->count<AskDiagnostics>() == 1);
}

TEST_CASE("a config that is too large or too deep is refused where it comes in") {
    auto bench = SessionBench::as("admin");
    const auto ask = [&](const std::string& config) {
        bench.say(R"({"type":"config","action":"check","config":)" + config + "}");
        const auto heard = bench.only("error");
        CHECK(bench.agent->commands.empty());
        return std::string(heard.str("code"));
    };
    CHECK(ask(R"({"a":")" + std::string(kMostConfigBytes, 'a') + "\"}") == "too_large");
    const std::string deep = R"({"a":)" + std::string(100'000, '[') + std::string(100'000, ']') + "}";
    CHECK(ask(deep) == "bad_request");
}

TEST_CASE("of the agent as a whole only who administers all of it hears") {
    const auto news = ConfigNews{
        R"({"change":"reverted","reason":"r","state":"in_force","source":"file","file":"/f","needs_restart":[]})"};
    for (const char* who : {"viewer", "operator", "admin"}) {
        CAPTURE(who);
        auto bench = SessionBench::as(who);
        bench.session->configChanged(news);
        const bool told = bench.session->hasOutput();
        CHECK(told == (std::string(who) == "admin"));
        if (told) CHECK(bench.only("system/config").str("change") == "reverted");
    }
    auto bench = SessionBench::as("admin");
    bench.access->replace({TokenRule::of("some", Role::admin, {"door"})}, {});
    bench.say(R"({"type":"auth","token":"some"})");
    bench.hear();
    for (const char* type : {R"("config","action":"get")", R"("diagnostics")", R"("probe")"}) {
        bench.say(std::string(R"({"type":)") + type + "}");
        CHECK(bench.only("error").str("code") == "forbidden");
    }
    bench.session->configChanged(news);
    CHECK_FALSE(bench.session->hasOutput());
    CHECK(bench.agent->commands.empty());
}

TEST_CASE("a hub that asks for it hears our token as it is now, at most once a second") {
    std::string token = "first";
    auto bench = SessionBench::hub({.token = "unused", .readToken = [&] { return token; }});
    CHECK(bench.only("auth").text.find("\"first\"") != std::string::npos);
    bench.say(R"({"type":"system","event":"authenticated","data":{}})");
    bench.hear();
    token = "second";
    bench.later(2s);
    for (int i = 0; i < 5; ++i)
        bench.say(R"({"type":"system","event":"reauthenticate","data":{"ends_in_s":60}})");
    CHECK(bench.only("auth").text.find("\"second\"") != std::string::npos);
}
