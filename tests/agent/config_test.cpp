#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "agent/config.hpp"

using namespace edgecam;
using agent::parseConfig;

namespace {
std::string whyNot(const char* text) {
    const auto config = parseConfig(text, "/etc/edgecam");
    return config ? "" : config.error().message;
}
}  // namespace

TEST_CASE("an uplink has one hub or several, a name of its own, and events are kept within bounds") {
    const auto config = parseConfig(R"({ "cameras": [], "journal": { "max_mb": 8, "max_days": 0.5 },
        "uplinks": [ { "url": "wss://a/in?key=1", "token": "t" },
                     { "urls": ["wss://b/", "wss://c/"], "name": "east", "separate_events": true, "token": "t",
                       "max_retry_s": 5 } ] })",
                                    "/");
    REQUIRE(config);
    CHECK(config->journal.maxBytes == 8 << 20);
    CHECK(config->journal.maxAge == std::chrono::hours(12));
    CHECK(config->uplinks[0].name == "wss://a/in");
    CHECK_FALSE(config->uplinks[0].separateEvents);
    CHECK(config->uplinks[1].hubs.size() == 2);
    CHECK(config->uplinks[1].hubs[1].host == "c");
    CHECK(config->uplinks[1].separateEvents);
    CHECK(config->uplinks[1].longestWait == std::chrono::seconds(5));
    CHECK(whyNot(R"({"cameras": [], "uplinks": [{"token": "t"}]})") ==
          "/uplinks/0: needs either \"url\" or \"urls\"");
    CHECK(whyNot(R"({"cameras": [], "uplinks": [{"token": "t", "url": "ws://a/", "urls": ["ws://b/"]}]})") ==
          "/uplinks/0: needs either \"url\" or \"urls\"");
    CHECK(whyNot(R"({"cameras": [], "uplinks": [{"token": "t", "urls": ["ws://b/", "b"]}]})")
              .starts_with("/uplinks/0/urls/1: "));
    CHECK(
        whyNot(
            R"({"cameras": [], "uplinks": [{"token": "t", "url": "ws://a/"}, {"token": "t", "url": "ws://a/"}]})")
            .starts_with("/uplinks/1/name: "));
}

TEST_CASE("the smallest documented config is a whole config") {
    const auto config = parseConfig(R"({ "data_dir": "./data",
        "cameras": [ { "id": "cam_123", "source": "rtsp://127.0.0.1:8554/cam" } ],
        "server":  { "listen": "127.0.0.1:8080", "tokens": [ { "token": "secret", "role": "operator" } ] },
        "uplinks": [ { "url": "ws://127.0.0.1:9000/v1/stream", "token": "secret", "start": ["cam_123"] } ] })",
                                    "/etc/edgecam");
    REQUIRE(config);
    CHECK(config->dataDir == "/etc/edgecam/data");
    REQUIRE(config->cameras.size() == 1);
    CHECK(config->cameras[0].id == "cam_123");
    CHECK(config->cameras[0].source.kind == capture::SourceKind::rtsp);
    CHECK(config->server.port == 8080);
    REQUIRE(config->server.tokens.size() == 1);
    CHECK(config->server.tokens[0].role == uplink::Role::operator_);
    REQUIRE(config->uplinks.size() == 1);
    CHECK(config->uplinks[0].role == uplink::Role::operator_);
    CHECK(config->uplinks[0].start == std::vector<std::string>{"cam_123"});
}

TEST_CASE("what is left out has the default that the schema documents") {
    const auto config = parseConfig(R"({ "cameras": [] })", "/");
    REQUIRE(config);
    CHECK(config->dataDir == "/var/lib/edgecam");
    CHECK_FALSE(config->agentId.empty());
    CHECK(config->server.enabled);
    CHECK(config->server.address == "127.0.0.1");
    CHECK(config->server.maxConnections == 100);
    CHECK(config->vision.rateHz == 10);
    CHECK(config->vision.inputSize == Size{640, 360});
}

TEST_CASE("comments are allowed") {
    CHECK(parseConfig("{ // one box\n \"cameras\": [] /* none yet */ }", "/"));
}

TEST_CASE("an error names its place and says what to do") {
    CHECK(whyNot("{") == "Missing a name for object member. (line 1, column 2)");
    CHECK(whyNot("[]").find("/: must be of type \"object\"") == 0);
    CHECK(whyNot("{}") == "/: \"cameras\" is missing");
    CHECK(whyNot(R"({"cameras": [], "camreas": []})") == "/: unknown key \"camreas\"");
    CHECK(whyNot(R"({"cameras": {}})").find("/cameras: must be of type \"array\"") == 0);
    CHECK(whyNot(R"({"cameras": [{"id": "a", "source": "test://faces", "fps": 3}]})") ==
          "/cameras/0: unknown key \"fps\"");
    CHECK(whyNot(R"({"cameras": [{"id": "a"}]})") == "/cameras/0: \"source\" is missing");
    CHECK(whyNot(R"({"cameras": [{"id": "a b", "source": "test://faces"}]})")
              .find("/cameras/0/id: must match") == 0);
    CHECK(whyNot(R"({"cameras": [{"id": "a", "source": "gopher://x"}]})").find("/cameras/0/source: ") == 0);
    CHECK(whyNot(R"({"cameras": [{"id": "a", "source": "test://faces", "encoder": {"bitrate_kbps": 7}}]})") ==
          "/cameras/0/encoder/bitrate_kbps: must be at least 50");
    CHECK(whyNot(R"({"cameras": [], "log_level": "loud"})").find("/log_level: must be one of [\"error\"") ==
          0);
}

TEST_CASE("two cameras with one id are refused") {
    CHECK(
        whyNot(
            R"({"cameras": [{"id": "a", "source": "test://faces"}, {"id": "a", "source": "test://bars"}]})") ==
        "/cameras/1/id: \"a\" is used by another camera");
}

TEST_CASE("where to listen must be a numeric address and a port") {
    CHECK(parseConfig(R"({"cameras": [], "server": {"listen": "[::1]:9"}})", "/")->server.address == "::1");
    CHECK(parseConfig(R"({"cameras": [], "server": {"listen": "*:0"}})", "/")->server.address == "*");
    CHECK(whyNot(R"({"cameras": [], "server": {"listen": "8080"}})")
              .find("/server/listen: must be ADDRESS:PORT") == 0);
    CHECK(whyNot(R"({"cameras": [], "server": {"listen": "127.0.0.1:99999"}})").find("/server/listen: ") ==
          0);
    CHECK(
        whyNot(R"({"cameras": [], "server": {"listen": "box:80"}})").find("/server/listen: \"box\" is not") ==
        0);
}

TEST_CASE("proxies that are trusted are numeric addresses, and one address has a share of the places") {
    const auto config = parseConfig(
        R"({"cameras": [], "server": {"max_per_address": 7, "trusted_proxies": ["127.0.0.1", "::1"]}})",
        "/x");
    REQUIRE(config);
    CHECK(config->server.maxPerAddress == 7);
    CHECK(config->server.trustedProxies == std::vector<std::string>{"127.0.0.1", "::1"});
    const auto named = parseConfig(R"({"cameras": [], "server": {"trusted_proxies": ["localhost"]}})", "/x");
    REQUIRE_FALSE(named);
    CHECK(named.error().message.starts_with("/server/trusted_proxies/0: \"localhost\" is not a numeric"));
}

TEST_CASE("a hub needs a WebSocket URL without a secret in it, and cameras that exist") {
    CHECK(whyNot(R"({"cameras": [], "uplinks": [{"url": "http://h/", "token": "t"}]})") ==
          "/uplinks/0/url: a hub's URL begins with ws:// or wss://");
    CHECK(whyNot(R"({"cameras": [], "uplinks": [{"url": "ws://u:p@h/", "token": "t"}]})")
              .find("/uplinks/0/url: no user name in a hub's URL") == 0);
    CHECK(whyNot(R"({"cameras": [], "uplinks": [{"url": "ws://h/", "token": "t", "start": ["x"]}]})") ==
          "/uplinks/0/start: there is no camera \"x\"");
}

TEST_CASE("a hub is sent only what it may see") {
    CHECK(whyNot(R"({"cameras": [{"id": "a", "source": "test://bars"}, {"id": "b", "source": "test://bars"}],
        "uplinks": [{"url": "ws://h/", "token": "t", "start": ["a"], "cameras": ["b"]}]})") ==
          "/uplinks/0/start: \"a\" is not among this hub's \"cameras\"");
}

TEST_CASE("a file that is absent or a folder is an error, not a crash") {
    CHECK_FALSE(agent::loadConfig("/nonexistent/edgecam.json"));
    CHECK_FALSE(agent::loadConfig("/tmp"));
}
