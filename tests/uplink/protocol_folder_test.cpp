// docs/protocol is part of the program: every example in it is read, checked and played.
#include <doctest/doctest.h>

#include <set>
#include <string>
#include <vector>

#include "tests/uplink/session_bench.hpp"

using namespace edgecam;
using namespace edgecam::uplink;
using namespace edgecam::uplink::test;

namespace {

struct Example {
    std::string name;
    JsonDocument json;
};

std::vector<Example> examples(const char* folder) {
    std::vector<Example> found;
    for (const auto& path : filesIn(protocolFolder() / "examples" / folder, ".json")) {
        auto parsed = parseJson(readFile(path));
        REQUIRE_MESSAGE(parsed, path.string());
        found.push_back({path.stem().string(), *std::move(parsed)});
    }
    return found;
}

std::set<std::string> typesIn(const std::vector<Example>& documents) {
    std::set<std::string> types;
    for (const Example& document : documents) types.insert(document.json["type"].GetString());
    return types;
}

}  // namespace

TEST_CASE("every example keeps to its schema") {
    for (const Example& example : examples("peer_to_agent")) {
        CAPTURE(example.name);
        CHECK_FALSE(requestSchema().complaint(example.json));
    }
    for (const Example& example : examples("agent_to_peer")) {
        CAPTURE(example.name);
        CHECK_FALSE(messageSchema().complaint(example.json));
    }
}

TEST_CASE("there is an example of every type") {
    CHECK(typesIn(examples("peer_to_agent")) ==
          std::set<std::string>{"ack", "analytics", "auth", "config", "diagnostics", "error", "heartbeat",
                                "media_ack", "metrics", "probe", "rotate_token", "sessions", "status",
                                "stream_control", "subscribe", "system", "unsubscribe"});
    CHECK(typesIn(examples("agent_to_peer")) ==
          std::set<std::string>{"analytics", "auth", "batch", "config", "detections", "diagnostics", "drop", "error",
                                "face_detected", "gap", "heartbeat", "metrics", "ok", "probe", "rotate_token",
                                "sessions", "stream_status", "system", "transfer"});
}

TEST_CASE("every example of a request is understood") {
    for (const Example& example : examples("peer_to_agent")) {
        CAPTURE(example.name);
        auto bench = example.name.starts_with("hub_") ? SessionBench::hub({}) : SessionBench::as("admin");
        bench.hear();
        bench.agent->onSubmit = [&](const Command& command) {
            if (command.ticket != 0) bench.session->complete(command.ticket, Done{});
        };
        bench.say(toJson(example.json));
        for (const Heard& item : bench.hear()) {
            if (item.type != "error") continue;
            const bool tokenIsAnExample =
                example.name.starts_with("auth") && item.str("code") == "unauthorized";
            const bool isNoConsumer = example.name == "ack" && item.str("code") == "forbidden";
            const bool isNobody = example.name == "sessions_revoke" && item.str("code") == "not_found";
            CHECK((tokenIsAnExample || isNoConsumer || isNobody || item.str("code") == "unsupported"));
        }
    }
}

TEST_CASE("the schemas refuse what is wrong") {
    const auto refuses = [](const WireSchema& schema, const char* text) {
        const auto parsed = parseJson(text);
        REQUIRE(parsed);
        return schema.complaint(*parsed).has_value();
    };
    for (const char* text :
         {R"({})", R"({"type":"auth"})", R"({"type":"stream_control","action":"start"})",
          R"({"type":"stream_control","action":"start","camera_id":"a b"})",
          R"({"type":"stream_control","action":"quality","camera_id":"a","quality":{"width":7}})",
          R"({"type":"subscribe","topics":["door"]})", R"({"type":"status","id":-1})"}) {
        CAPTURE(text);
        CHECK(refuses(requestSchema(), text));
    }
    for (const char* text :
         {R"({"type":"ok"})", R"({"type":"stream_status","data":{"camera_id":"a","state":"live"}})",
          R"({"type":"error","data":{"code":"oops","message":""}})",
          R"({"type":"system","event":"status","data":{}})", R"({"type":"unheard_of","data":{}})"}) {
        CAPTURE(text);
        CHECK(refuses(messageSchema(), text));
    }
}
