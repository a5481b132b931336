// What a config that is read again changes, as a table: which text becomes which, and what that concerns.
#include "agent/config_change.hpp"

#include <doctest/doctest.h>

#include <string>
#include <vector>

using namespace edgecam;
using namespace edgecam::agent;

namespace {

Config configOf(const std::string& text) {
    auto config = parseConfig(text, "/etc/edgecam");
    REQUIRE_MESSAGE(config, (config ? "" : config.error().message));
    return *std::move(config);
}

const std::string kBase = R"({ "agent_id": "box", "data_dir": "/data",
    "cameras": [ {"id": "a", "source": "rtsp://cam/1"}, {"id": "b", "source": "test://bars"} ],
    "server": { "tokens": [ {"token": "t", "name": "ann"} ] },
    "uplinks": [ {"url": "wss://hub/", "name": "east", "token": "t"} ] })";

/// The base with one piece of its text replaced by another.
Config with(const std::string& piece, const std::string& other) {
    std::string text = kBase;
    const auto at = text.find(piece);
    REQUIRE(at != std::string::npos);
    return configOf(text.replace(at, piece.size(), other));
}

/// Everything that a change names, in one line.
std::string inWords(const ConfigChange& change) {
    std::string words;
    const auto say = [&](const std::string& word) { words += (words.empty() ? "" : " ") + word; };
    for (const auto& id : change.camerasRemoved) say("-" + id);
    for (const auto& camera : change.camerasAdded) say("+" + camera.id);
    for (const auto& camera : change.camerasChanged) {
        say("~" + camera.camera.id);
        if (camera.source) say("source");
        if (camera.encoder) say("encoder");
        if (camera.scene) say("scene");
        if (camera.enabled) say("enabled");
    }
    for (const auto& name : change.uplinksRemoved) say("-" + name);
    for (const auto& name : change.uplinksAdded) say("+" + name);
    for (const auto& name : change.uplinksChanged) say("~" + name);
    if (change.vision) say("vision");
    if (change.tokens) say("tokens");
    if (change.logLevel) say("log");
    for (const auto& setting : change.needRestart) say(std::string(setting));
    return words;
}

}  // namespace

TEST_CASE("the same config read twice changes nothing, however it is written") {
    const Config base = configOf(kBase);
    CHECK(changeBetween(base, configOf(kBase)).nothing());
    CHECK(changeBetween(base, configOf(kBase)).needRestart.empty());
    // Defaults that are spelled out, a comment, another order of the cameras.
    CHECK(inWords(changeBetween(base, with(R"("agent_id")", R"(/* same */ "log_level": "info", "agent_id")")))
              .empty());
    CHECK(inWords(changeBetween(
                      base,
                      with(R"({"id": "a", "source": "rtsp://cam/1"}, {"id": "b", "source": "test://bars"})",
                           R"({"id": "b", "source": "test://bars"}, {"id": "a", "source": "rtsp://cam/1"})")))
              .empty());
}

TEST_CASE("a change names what it concerns and nothing else") {
    struct Row {
        const char* piece;
        const char* other;
        const char* changes;
    };
    const std::vector<Row> table{
        {R"({"id": "b", "source": "test://bars"})", R"({"id": "c", "source": "test://bars"})", "-b +c"},
        {R"(, {"id": "b", "source": "test://bars"})", "", "-b"},
        {R"("test://bars"})", R"("test://bars"}, {"id": "c", "source": "test://noise"})", "+c"},
        {R"("test://bars")", R"("test://noise")", "~b source"},
        {R"("rtsp://cam/1")", R"("rtsp://u:p@cam/1")", "~a source"},
        {R"("rtsp://cam/1")", R"("rtsp://cam/1", "substream": "rtsp://cam/2")", "~a source"},
        {R"("rtsp://cam/1")", R"("rtsp://cam/1", "max_renditions": 3)", "~a source"},
        {R"("test://bars")", R"("test://bars", "vision": false)", "~b source"},
        {R"("test://bars")", R"("test://bars", "frozen_after_s": 5)", "~b source"},
        {R"("test://bars")", R"("test://bars", "enabled": false)", "~b enabled"},
        {R"("test://bars")", R"("test://bars", "min_face_px": 30)", "~b scene"},
        {R"("test://bars")", R"("test://bars", "encoder": {"bitrate_kbps": 500})", "~b encoder"},
        {R"("test://bars")", R"("test://bars", "enabled": false, "encoder": {"width": 640, "height": 360})",
         "~b encoder enabled"},
        {R"("agent_id": "box")", R"("agent_id": "box", "vision": {"rate_hz": 5})", "vision"},
        {R"("agent_id": "box")", R"("agent_id": "box", "vision": {"idle_decode": "full"})", "vision"},
        {R"("agent_id": "box")", R"("agent_id": "box", "log_level": "debug")", "log"},
        {R"({"token": "t", "name": "ann"})", R"({"token": "u", "name": "ann"})", "tokens"},
        {R"({"token": "t", "name": "ann"})", R"({"token": "t", "name": "ann", "role": "admin"})", "tokens"},
        {R"({"token": "t", "name": "ann"})", "", "tokens"},
        {R"("tokens":)",
         R"("token_keys": [{"name": "k", "public_key_file": "k.pem", "audience": "x"}], "tokens":)",
         "tokens"},
        {R"("name": "east")", R"("name": "west")", "-east +west"},
        {R"("wss://hub/")", R"("wss://hub/other")", "~east"},
        {R"("name": "east", "token": "t")", R"("name": "east", "token": "u")", "~east"},
        {R"("name": "east")", R"("name": "east", "start": ["a"])", "~east"},
        {R"("name": "east")", R"("name": "east", "monthly_mb": 5)", "~east"},
        {R"("name": "east")", R"("name": "east", "proxy": "http://proxy:1")", "~east"},
        {R"("name": "east")", R"("name": "east", "separate_events": true)", "~east"},
        {R"({"url": "wss://hub/", "name": "east", "token": "t"})", "", "-east"},
        {R"("agent_id": "box")", R"("agent_id": "crate")", "/agent_id"},
        {R"("data_dir": "/data")", R"("data_dir": "/other")", "/data_dir"},
        {R"("agent_id": "box")", R"("agent_id": "box", "journal": {"max_mb": 5})", "/journal/max_mb"},
        {R"("agent_id": "box")", R"("agent_id": "box", "journal": {"max_days": 5})", "/journal/max_days"},
        {R"("tokens":)", R"("enabled": false, "tokens":)", "/server/enabled"},
        {R"("tokens":)", R"("listen": "127.0.0.1:9", "tokens":)", "/server/listen"},
        {R"("tokens":)", R"("own_process": true, "tokens":)", "/server/own_process"},
        {R"("tokens":)", R"("tls": {"self_signed": true}, "tokens":)", "/server/tls"},
        {R"("tokens":)", R"("allowed_origins": ["https://x"], "tokens":)", "/server/allowed_origins"},
        {R"("tokens":)", R"("allowed_hosts": ["x"], "tokens":)", "/server/allowed_hosts"},
        {R"("tokens":)", R"("max_connections": 5, "tokens":)", "/server/max_connections"},
        {R"("tokens":)", R"("max_per_address": 5, "tokens":)", "/server/max_per_address"},
        {R"("tokens":)", R"("trusted_proxies": ["::1"], "tokens":)", "/server/trusted_proxies"},
        {R"("tokens":)", R"("max_message_bytes": 5000, "tokens":)", "/server/max_message_bytes"},
        {R"("tokens":)", R"("auth_timeout_s": 2, "tokens":)", "/server/auth_timeout_s"},
        {R"("tokens":)", R"("web_root": "/x", "tokens":)", "/server/web_root"},
    };
    const Config base = configOf(kBase);
    for (const Row& row : table) {
        CAPTURE(row.other);
        const Config next = with(row.piece, row.other);
        const ConfigChange change = changeBetween(base, next);
        CHECK(inWords(change) == row.changes);
        CHECK(change.nothing() == std::string(row.changes).starts_with("/"));
        // Once in force, only what needs a restart is still different.
        const ConfigChange left = changeBetween(withoutRestart(base, next), next);
        CHECK(left.nothing());
        CHECK(left.needRestart == change.needRestart);
    }
}

TEST_CASE("what needs a restart keeps its old value while the rest comes into force") {
    const Config base = configOf(kBase);
    const Config next =
        with(R"("server": {)",
             R"("log_level": "debug", "server": { "listen": "127.0.0.1:9", "max_connections": 3,)");
    const Config result = withoutRestart(base, next);
    CHECK(result.server.port == 8080);
    CHECK(result.server.maxConnections == 100);
    CHECK(result.logLevel == LogLevel::debug);
    CHECK(result.server.tokens == base.server.tokens);
}

TEST_CASE("a change is described in a line") {
    const Config base = configOf(kBase);
    CHECK(described(changeBetween(base, base)) == "nothing that can change without a restart");
    CHECK(described(changeBetween(base, with(R"({"id": "b", "source": "test://bars"})",
                                             R"({"id": "c", "source": "test://bars"})"))) ==
          "cameras: 1 added, 1 removed");
    CHECK(described(changeBetween(base, with(R"("name": "east", "token": "t"} ])",
                                             R"("name": "east", "token": "u"} ], "log_level": "debug")"))) ==
          "uplinks: 1 changed; the log level");
}
