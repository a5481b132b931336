#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "agent/box_id.hpp"
#include "agent/config.hpp"
#include "agent/places.hpp"

using namespace edgecam;
using agent::parseConfig;

namespace {
std::string whyNot(const std::string& text) {
    const auto config = parseConfig(text, "/etc/edgecam");
    return config ? "" : config.error().message;
}

std::string uplinkWith(const std::string& url, const std::string& more) {
    return R"({"cameras": [], "uplinks": [{"token": "t", "url": ")" + url + "\"" + more + "}]}";
}
}  // namespace

TEST_CASE("an uplink may be metered by the month, in whole megabytes") {
    const auto config = parseConfig(uplinkWith("wss://a/in", R"(, "monthly_mb": 5000)"), "/");
    REQUIRE(config);
    CHECK(config->uplinks[0].monthlyBytes == 5'000'000'000);
    CHECK(parseConfig(uplinkWith("wss://a/in", ""), "/")->uplinks[0].monthlyBytes == 0);
    for (const char* wrong : {"0", "-1", "0.5", "100000001", "\"5\""}) {
        CHECK(whyNot(uplinkWith("wss://a/in", std::string(", \"monthly_mb\": ") + wrong))
                  .starts_with("/uplinks/0/monthly_mb: "));
    }
}

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
    CHECK(
        whyNot(R"({"cameras": [], "uplinks": [{"token": "t", "url": "wss://a/", "urls": ["wss://b/"]}]})") ==
        "/uplinks/0: needs either \"url\" or \"urls\"");
    CHECK(whyNot(R"({"cameras": [], "uplinks": [{"token": "t", "urls": ["wss://b/", "b"]}]})")
              .starts_with("/uplinks/0/urls/1: "));
    CHECK(
        whyNot(
            R"({"cameras": [], "uplinks": [{"token": "t", "url": "wss://a/"}, {"token": "t", "url": "wss://a/"}]})")
            .starts_with("/uplinks/1/name: "));
    // A connection for events alone is called by its purpose, which may be another uplink's name.
    CHECK(whyNot(R"({"cameras": [], "uplinks": [{"token": "t", "url": "wss://a/in", "separate_events": true},
                    {"token": "t", "url": "wss://a/in/events"}]})")
              .starts_with("/uplinks/1/name: \"wss://a/in/events\" is another uplink too"));
}

TEST_CASE("viewers are served from a process of their own where others can connect, or as wished") {
    const auto isApart = [](const char* server) {
        const auto config = parseConfig(std::string(R"({"cameras": [], "server": )") + server + "}", "/");
        REQUIRE(config);
        return config->server.ownProcess;
    };
    CHECK(isApart(R"({"listen": "*:8080"})"));
    CHECK(isApart(R"({"listen": "192.0.2.7:8080"})"));
    CHECK_FALSE(isApart(R"({"listen": "127.0.0.1:8080"})"));
    CHECK_FALSE(isApart(R"({"listen": "[::1]:8080"})"));
    CHECK_FALSE(isApart("{}"));
    CHECK_FALSE(isApart(R"({"listen": "*:8080", "own_process": false})"));
    CHECK(isApart(R"({"own_process": true})"));
}

TEST_CASE("a token is given plain, as its hash or by its file, and only its hash is kept") {
    const std::string hash = uplink::TokenHash::salted("b").text();
    const auto config = parseConfig(R"({ "cameras": [], "server": { "tokens": [
        { "token": "a", "role": "admin" }, { "token_hash": ")" +
                                        hash + R"(", "name": "ann" },
        { "token_file": "viewers" } ], "token_keys": [
        { "name": "console", "public_key_file": "console.pem", "audience": "box-7", "role": "operator" } ] },
        "uplinks": [ { "url": "wss://a/", "token_file": "hub" } ] })",
                                    "/etc/edgecam");
    REQUIRE(config);
    const auto& tokens = config->server.tokens;
    REQUIRE(tokens.size() == 3);
    CHECK(tokens[0].token->matches("a"));
    CHECK(tokens[0].name == "server/tokens/0");
    CHECK(tokens[1].token->matches("b"));
    CHECK(tokens[1].name == "ann");
    CHECK_FALSE(tokens[2].token);
    CHECK(tokens[2].file == "/etc/edgecam/viewers");
    CHECK(config->server.tokenKeys[0].publicKeyFile == "/etc/edgecam/console.pem");
    CHECK(config->server.tokenKeys[0].most == uplink::Role::operator_);
    CHECK(config->uplinks[0].tokenFile == "/etc/edgecam/hub");
    const char* one = "/server/tokens/0: needs exactly one of \"token\", \"token_hash\" and \"token_file\"";
    CHECK(whyNot(R"({"cameras": [], "server": {"tokens": [{"role": "viewer"}]}})") == one);
    CHECK(whyNot(R"({"cameras": [], "server": {"tokens": [{"token": "a", "token_file": "b"}]}})") == one);
    CHECK(whyNot(R"({"cameras": [], "server": {"tokens": [{"token_hash": "sha256:1:2"}]}})")
              .starts_with("/server/tokens/0/token_hash: "));
    CHECK(whyNot(R"({"cameras": [], "uplinks": [{"url": "wss://a/"}]})") ==
          "/uplinks/0: needs either \"token\" or \"token_file\"");
    CHECK(whyNot(R"({"cameras": [], "uplinks": [{"url": "wss://a/", "token": "a", "token_file": "b"}]})") ==
          "/uplinks/0: needs either \"token\" or \"token_file\"");
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
    CHECK(config->dataDir == agent::usualDataDir());
    CHECK(config->agentId == agent::boxId());
    CHECK_FALSE(config->findCameras);
    CHECK(config->server.enabled);
    CHECK(config->server.address == "127.0.0.1");
    CHECK(config->server.maxConnections == 100);
    CHECK(config->vision.rateHz == 10);
    CHECK(config->vision.inputSize == Size{640, 360});
}

TEST_CASE("a config that names no camera asks for those that are there, whatever else speaks of them") {
    const auto config = parseConfig(
        R"({"uplinks": [{"url": "wss://a/", "token": "t", "start": ["hd-webcam"]}],
            "server": {"tokens": [{"token": "t", "cameras": ["hd-webcam"]}]}})",
        "/");
    REQUIRE(config);
    CHECK(config->findCameras);
    CHECK(config->cameras.empty());
    REQUIRE(agent::loadConfig(""));
    CHECK(agent::loadConfig("")->findCameras);
}

TEST_CASE("a box that was given no name has one that is an id's, and always the same") {
    const std::string id = agent::boxId();
    CHECK(id == agent::boxId());
    CHECK(parseConfig(R"({"agent_id": ")" + id + "\"}", "/"));
}

TEST_CASE("comments are allowed") {
    CHECK(parseConfig("{ // one box\n \"cameras\": [] /* none yet */ }", "/"));
}

TEST_CASE("an error names its place and says what to do") {
    CHECK(whyNot("{") == "Missing a name for object member. (line 1, column 2)");
    CHECK(whyNot("[]").find("/: must be of type \"object\"") == 0);
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
    CHECK(whyNot(R"({"cameras": [], "uplinks": [{"url": "wss://h/", "token": "t", "start": ["x"]}]})") ==
          "/uplinks/0/start: there is no camera \"x\"");
}

TEST_CASE("a hub is sent only what it may see") {
    CHECK(whyNot(R"({"cameras": [{"id": "a", "source": "test://bars"}, {"id": "b", "source": "test://bars"}],
        "uplinks": [{"url": "wss://h/", "token": "t", "start": ["a"], "cameras": ["b"]}]})") ==
          "/uplinks/0/start: \"a\" is not among this hub's \"cameras\"");
}

TEST_CASE("plain ws:// is for this machine, unless an uplink says that it may be read along with") {
    for (const char* here : {"ws://127.0.0.1:9000/", "ws://127.8.9.1/", "ws://localhost/", "ws://[::1]:9/"}) {
        CAPTURE(here);
        CHECK(whyNot(uplinkWith(here, "").c_str()).empty());
    }
    CHECK(whyNot(uplinkWith("ws://hub.example/in?key=hush", "").c_str()) ==
          "/uplinks/0/url: whoever is on the way could read the token and the video: use wss://, or set "
          "\"insecure\": true in this uplink to dial ws://hub.example/in all the same");
    for (const char* far :
         {"ws://192.0.2.1/", "ws://localhost.example/", "ws://[2001:db8::1]/", "ws://0.0.0.0/"}) {
        CAPTURE(far);
        CHECK_FALSE(whyNot(uplinkWith(far, "").c_str()).empty());
        CHECK(whyNot(uplinkWith(far, R"(, "insecure": true)").c_str()).empty());
    }
    CHECK(whyNot(R"({"cameras": [], "uplinks": [{"token": "t", "urls": ["wss://a/", "ws://b/"]}]})")
              .starts_with("/uplinks/0/urls/1: whoever"));
}

TEST_CASE(
    "certificates, keys and proxies of uplinks and of the server are read, paths from the file's folder") {
    const auto config = parseConfig(R"({ "cameras": [],
        "server": { "tls": { "cert_file": "tls/box.pem", "key_file": "/keys/box.pem", "client_ca_file": "ca.pem" } },
        "uplinks": [ { "url": "wss://h/", "token": "t", "client_cert_file": "c.pem", "client_key_file": "k.pem",
                       "proxy": "http://me:p%40ss@proxy.example:3128" } ] })",
                                    "/etc/edgecam");
    REQUIRE(config);
    CHECK(config->server.tls.certificateFile == "/etc/edgecam/tls/box.pem");
    CHECK(config->server.tls.keyFile == "/keys/box.pem");
    CHECK(config->server.tls.clientCaFile == "/etc/edgecam/ca.pem");
    CHECK(config->server.secure());
    CHECK_FALSE(config->server.selfSigned);
    CHECK(config->uplinks[0].tls.certificateFile == "/etc/edgecam/c.pem");
    CHECK(config->uplinks[0].tls.keyFile == "/etc/edgecam/k.pem");
    CHECK(config->uplinks[0].proxy->shown() == "proxy.example:3128");
    CHECK(config->uplinks[0].proxy->credentials == "me:p@ss");
    CHECK_FALSE(parseConfig(R"({"cameras": []})", "/")->server.secure());
    CHECK(parseConfig(R"({"cameras": [], "server": {"tls": {"self_signed": true}}})", "/")->server.secure());
}

TEST_CASE("half of a certificate, and a proxy's address that is none, are refused") {
    CHECK(whyNot(R"({"cameras": [], "server": {"tls": {"key_file": "k.pem"}}})") ==
          "/server/tls: \"cert_file\" and \"key_file\" go together");
    CHECK(whyNot(R"({"cameras": [], "server": {"tls": {}}})") ==
          "/server/tls: needs either \"cert_file\" and \"key_file\", or \"self_signed\": true");
    CHECK(whyNot(uplinkWith("wss://h/", R"(, "client_key_file": "k.pem")").c_str()) ==
          "/uplinks/0: \"client_cert_file\" and \"client_key_file\" go together");
    CHECK(whyNot(uplinkWith("wss://h/", R"(, "proxy": "https://me:hush@proxy:1")").c_str()) ==
          "/uplinks/0/proxy: a proxy's address begins with http://");
    CHECK(whyNot(uplinkWith("ws://127.0.0.1/", R"(, "proxy": "http://proxy:1")").c_str()) ==
          "/uplinks/0/proxy: whoever is on the way could read along: use wss:// hubs, or set \"insecure\": "
          "true");
}

TEST_CASE("a file that is absent or a folder is an error, not a crash") {
    CHECK_FALSE(agent::loadConfig("/nonexistent/edgecam.json"));
    CHECK_FALSE(agent::loadConfig("/tmp"));
}

TEST_CASE("a sub stream goes with an RTSP source, and its password is never shown") {
    const auto config = parseConfig(R"({"cameras": [ {"id": "a", "source": "rtsp://u:secret@cam/1",
        "substream": "rtspu://u:secret@cam/2?key=secret"}, {"id": "b", "source": "rtsp://cam/1"} ]})",
                                    "/");
    REQUIRE(config);
    REQUIRE(config->cameras[0].substream);
    CHECK(config->cameras[0].substream->shown() == "rtsp://cam/2?...");
    CHECK(config->cameras[0].substream->password == "secret");
    CHECK_FALSE(config->cameras[1].substream);
    const auto with = [](const std::string& source, const std::string& substream) {
        return R"({"cameras": [{"id": "a", "source": ")" + source + R"(", "substream": ")" + substream +
               "\"}]}";
    };
    for (const auto& text :
         {with("test://faces", "rtsp://cam/2"), with("rtsp://cam/1", "test://faces"),
          with("v4l2:///dev/video0", "rtsp://cam/2"), with("rtsp://cam/1", "file:///a.mp4")}) {
        CHECK(whyNot(text.c_str()) ==
              "/cameras/0/substream: only an rtsp:// source has one, and it is rtsp:// itself");
    }
    const auto broken = whyNot(with("rtsp://cam/1", "rtsp://u:se/cret@cam/2").c_str());
    CHECK(broken.starts_with("/cameras/0/substream: "));
    CHECK(broken.find("cret") == std::string::npos);
}

TEST_CASE("how long a picture may wait for the link is a choice") {
    const auto with = [](const std::string& more) {
        return parseConfig(R"({"cameras": [], "uplinks": [{"token": "t", "url": "wss://a/")" + more + "}]}",
                           "/etc");
    };
    const auto silent = with("");
    REQUIRE(silent);
    CHECK_FALSE(silent->uplinks[0].videoWait);
    const auto patient = with(R"(, "video_wait_ms": 200)");
    REQUIRE(patient);
    CHECK(patient->uplinks[0].videoWait == std::chrono::milliseconds(200));
    for (const char* wrong : {"19", "401", "1.5", "\"long\""}) {
        CHECK_FALSE(with(std::string(R"(, "video_wait_ms": )") + wrong));
    }
}

TEST_CASE("frozen and black pictures are looked for where a sensor has noise, or as wished") {
    const auto with = [](const std::string& source, const std::string& more = {}) {
        const auto config =
            parseConfig(R"({"cameras": [{"id": "a", "source": ")" + source + "\"" + more + "}]}", "/etc");
        REQUIRE(config);
        return config->cameras[0].pictures;
    };
    const capture::PictureLimits usual{.frozenAfter = std::chrono::seconds(10),
                                       .blackAfter = std::chrono::seconds(10)};
    CHECK(with("v4l2:///dev/video0") == usual);
    CHECK(with("v4l2:?serial=8A3F") == usual);
    CHECK(with("rtsp://cam/1") == usual);
    CHECK(with("test://bars").none());
    CHECK(with("file:///a.mp4").none());
    CHECK(with("rtsp://cam/1", R"(, "frozen_after_s": 0)") ==
          capture::PictureLimits{.frozenAfter = Microseconds(0), .blackAfter = std::chrono::seconds(10)});
    CHECK(with("file:///a.mp4", R"(, "black_after_s": 2.5)").blackAfter == std::chrono::milliseconds(2500));
    CHECK(whyNot(R"({"cameras": [{"id": "a", "source": "test://bars", "frozen_after_s": -1}]})")
              .starts_with("/cameras/0/frozen_after_s: "));
}

TEST_CASE("a camera's zones, what is ignored and how small a face may be are read") {
    const auto config = parseConfig(R"({"cameras": [{"id": "a", "source": "test://bars", "min_face_px": 40,
        "zones": [{"name": "gate", "polygon": [[0, 0], [0.5, 0], [0.5, 1]]}], "ignore": [[[1, 1], [0, 1], [1, 0]]]}]})",
                                    "/");
    REQUIRE(config);
    const vision::SceneRules& scene = config->cameras.at(0).scene;
    CHECK(scene.zones == std::vector<Zone>{{"gate", {{0, 0}, {0.5F, 0}, {0.5F, 1}}}});
    CHECK(scene.ignored == std::vector<Polygon>{{{1, 1}, {0, 1}, {1, 0}}});
    CHECK(scene.minFacePx == 40);
    for (const auto& each : {
             std::pair{R"("zones": [{"name": "gate", "polygon": [[0, 0], [1, 1]]}])",
                       "/cameras/0/zones/0/polygon"},
             {R"("zones": [{"name": "the gate", "polygon": [[0, 0], [1, 1], [1, 0]]}])",
              "/cameras/0/zones/0/name"},
             {R"("zones": [{"name": "gate"}])", "/cameras/0/zones/0"},
             {R"("zones": [{"name": "g", "polygon": [[0, 0], [1, 1], [1, 0]]},
                 {"name": "g", "polygon": [[0, 0], [1, 1], [1, 0]]}])",
              "/cameras/0/zones/1/name: \"g\" is used"},
             {R"("ignore": [[[0, 0], [1, 1.5], [1, 0]]])", "/cameras/0/ignore/0/1/1"},
             {R"("ignore": [[0, 0], [1, 1], [1, 0]])", "/cameras/0/ignore/0"},
             {R"("min_face_px": -1)", "/cameras/0/min_face_px"},
         }) {
        CAPTURE(each.first);
        const std::string why =
            whyNot(concat(R"({"cameras": [{"id": "a", "source": "test://bars", )", each.first, "}]}"));
        CAPTURE(why);
        CHECK(why.starts_with(each.second));
    }
}

TEST_CASE("what is decoded while nobody is followed is one of three words") {
    const auto idle = [](const std::string& vision) {
        const auto config = parseConfig(R"({"cameras": [], "vision": {)" + vision + "}}", "/");
        REQUIRE(config);
        return config->vision.idleDecode;
    };
    CHECK(idle("") == capture::IdleDecode::automatic);
    CHECK(idle(R"("idle_decode": "auto")") == capture::IdleDecode::automatic);
    CHECK(idle(R"("idle_decode": "full")") == capture::IdleDecode::full);
    CHECK(idle(R"("idle_decode": "key_frames")") == capture::IdleDecode::keyFrames);
    CHECK(whyNot(R"({"cameras": [], "vision": {"idle_decode": "none"}})").starts_with("/vision/idle_decode"));
}
