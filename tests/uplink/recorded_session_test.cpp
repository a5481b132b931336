// docs/protocol/recorded_session.jsonl: one session as it was, played again. The peer's and the box's lines
// are done, the agent's lines must come out, in this order and word for word. After a change that is meant,
// the agent's lines are written anew by running this test with EDGECAM_RECORD=1.
#include <doctest/doctest.h>
#include <glib.h>

#include <cstdlib>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

#include "tests/uplink/session_bench.hpp"

using namespace edgecam;
using namespace edgecam::uplink;
using namespace edgecam::uplink::test;

namespace {

std::string base64(ByteView bytes) {
    g_autofree char* text = g_base64_encode(bytes.data(), bytes.size());
    return text;
}

/// One line of the recording as the agent would have said it.
std::string lineOf(const Heard& heard, std::int64_t atMs) {
    JsonWriter json;
    json.beginObject().field("at_ms", atMs).field("from", "agent");
    if (heard.binary) {
        json.field("binary_header", base64(encodeHeader(heard.header)));
        json.field("payload_bytes", static_cast<std::uint64_t>(heard.part.size()));
    } else {
        json.key("text").raw(heard.text);
    }
    json.endObject();
    return json.take();
}

CameraState stateNamed(const std::string& word) {
    for (const CameraState state :
         {CameraState::starting, CameraState::live, CameraState::degraded, CameraState::stopped,
          CameraState::reconnecting, CameraState::error, CameraState::disabled}) {
        if (word == nameOf(state)) return state;
    }
    FAIL("unknown state ", word);
    return CameraState::error;
}

class Replay {
  public:
    /// Does what the line says and returns what the agent says to it, as lines.
    std::vector<std::string> play(const JsonValue& line) {
        const std::int64_t atMs = line["at_ms"].GetInt64();
        bench_.later(std::chrono::milliseconds(atMs - nowMs_));
        nowMs_ = atMs;
        const std::string from = line["from"].GetString();
        if (from == "peer") {
            bench_.say(toJson(line["text"]));
        } else {
            REQUIRE(from == "box");
            happen(line["happens"].GetString(), line);
        }
        std::vector<std::string> lines;
        for (const Heard& heard : bench_.hear()) lines.push_back(lineOf(heard, atMs));
        return lines;
    }

  private:
    void happen(const std::string& what, const JsonValue& line) {
        const auto number = [&](const char* name) { return line[name].GetUint(); };
        const auto channel = [&] { return static_cast<std::uint16_t>(number("channel")); };
        if (what == "granted") return bench_.finish(SessionBench::grantOf(5, channel(), number("sequence")));
        if (what == "done") return bench_.finish(Done{});
        if (what == "key_frame") return bench_.play(keyOf(5, channel(), number("sequence"), number("bytes")));
        if (what == "delta") return bench_.play(deltaOf(5, channel(), number("sequence"), number("bytes")));
        if (what == "init") return bench_.play(initOf(5, channel(), {640, 360}));
        if (what == "face") {
            return bench_.session->deliver(faceOf("cam_123", number("track"), FacePhase::enter));
        }
        if (what == "camera") {
            CameraStatus& status = bench_.view->cameras["cam_123"];
            status.state = stateNamed(line["state"].GetString());
            status.reason = line["reason"].GetString();
            return bench_.session->cameraChanged(status);
        }
        if (what == "going_away") return bench_.session->goAway(std::chrono::seconds(2));
        REQUIRE_MESSAGE(what == "time_passes", what);
    }

    SessionBench bench_ = SessionBench::viewer();
    std::int64_t nowMs_ = 0;
};

}  // namespace

TEST_CASE("the recorded session plays again, word for word") {
    const auto path = protocolFolder() / "recorded_session.jsonl";
    const bool record = std::getenv("EDGECAM_RECORD") != nullptr;
    std::istringstream lines(readFile(path));
    std::string rerecorded;
    std::vector<std::string> expected, said;
    Replay replay;
    for (std::string text; std::getline(lines, text);) {
        CAPTURE(text);
        const auto line = parseJson(text);
        REQUIRE(line);
        if (std::string((*line)["from"].GetString()) == "agent") {
            expected.push_back(text);
            continue;
        }
        rerecorded += text + "\n";
        for (const std::string& answer : replay.play(*line)) {
            rerecorded += answer + "\n";
            said.push_back(answer);
        }
    }
    if (record) {
        std::ofstream(path) << rerecorded;
        MESSAGE("recorded anew");
        return;
    }
    REQUIRE(said.size() == expected.size());
    for (std::size_t i = 0; i < said.size(); ++i) CHECK(said[i] == expected[i]);
    CHECK(said.size() > 20);
}
