// Video, faces and states: what a peer gets, and in which order.
#include <doctest/doctest.h>

#include <string>

#include "tests/uplink/session_bench.hpp"

using namespace std::chrono_literals;
using namespace edgecam;
using namespace edgecam::uplink;
using namespace edgecam::uplink::test;

namespace {

using Types = std::vector<std::string>;

constexpr const char* kStart = R"({"type":"stream_control","action":"start","camera_id":"cam_123","id":2})";
constexpr const char* kStop = R"({"type":"stream_control","action":"stop","camera_id":"cam_123","id":3})";

/// Sequences of the binary messages, init segments as 0.
std::vector<std::uint32_t> sequencesOf(const std::vector<Heard>& heard) {
    std::vector<std::uint32_t> sequences;
    for (const Heard& item : heard) {
        if (item.binary) sequences.push_back(item.header.sequence);
    }
    return sequences;
}

}  // namespace

TEST_CASE("a stream is announced, then comes its init segment, the backlog, and what is live") {
    auto bench = SessionBench::as("viewer");
    bench.play(keyOf(5, 1, 99));  // not asked for: the guide's client would choke on it
    CHECK_FALSE(bench.session->hasOutput());
    bench.say(kStart);
    CHECK(bench.agent->last<StartStream>().codecs == Types{"avc1"});
    CHECK_FALSE(bench.session->follows(5));
    bench.finish(SessionBench::grantOf(5, 1, 100));
    CHECK(bench.session->follows(5));
    bench.play(deltaOf(5, 1, 101));

    const auto heard = bench.hear();
    CHECK(typesOf(heard) == Types{"stream_status", "binary", "binary", "binary"});
    CHECK(heard[0].id() == "2");
    CHECK(heard[0].str("state") == "live");
    CHECK(heard[0].str("streaming") == "true");
    CHECK(heard[0].str("channel") == "1");
    CHECK(heard[0].str("codec") == "avc1.64001f");
    CHECK(heard[0].str("source") == "passthrough");
    CHECK(heard[0].str("width") == "1280");
    CHECK(heard[0].data()["live_from_us"].GetUint64() == microsecondsOf(keyOf(5, 1, 100).captureTime));
    CHECK(heard[1].header.kind == ChunkKind::initSegment);
    CHECK(heard[2].header.flags == FrameHeader::kKeyFrame);
    CHECK(sequencesOf(heard) == std::vector<std::uint32_t>{0, 100, 101});
}

TEST_CASE("a chunk that is in the backlog and comes live as well goes out once") {
    auto bench = SessionBench::as("viewer");
    bench.say(kStart);
    StreamGrant grant = SessionBench::grantOf(5, 1, 100);
    grant.backlog.chunks.push_back(deltaOf(5, 1, 101));
    grant.backlog.chunks.push_back(deltaOf(5, 1, 102));
    bench.finish(grant);
    bench.play(grant.backlog.chunks[0]);
    for (const std::uint32_t sequence : {101U, 102U, 103U, 104U}) bench.play(deltaOf(5, 1, sequence));
    CHECK(sequencesOf(bench.hear()) == std::vector<std::uint32_t>{0, 100, 101, 102, 103, 104});
}

TEST_CASE("a camera that is down is answered at once, and its video comes when it does") {
    auto bench = SessionBench::as("viewer");
    bench.view->cameras["cam_123"].state = CameraState::reconnecting;
    bench.view->cameras["cam_123"].reason = "no picture for 3 s";
    bench.say(kStart);
    StreamGrant grant;
    grant.rendition = 5;
    bench.finish(grant);
    const auto status = bench.only("stream_status");
    CHECK(status.str("state") == "reconnecting");
    CHECK(status.str("streaming") == "true");
    CHECK(status.str("channel") == "null");
    CHECK(status.str("reason") == "no picture for 3 s");

    bench.play(deltaOf(5, 1, 7));  // a channel nobody announced
    CHECK_FALSE(bench.session->hasOutput());
    bench.play(initOf(5, 1));
    bench.play(keyOf(5, 1, 8));
    const auto heard = bench.hear();
    CHECK(typesOf(heard) == Types{"stream_status", "binary", "binary"});
    CHECK(heard[0].str("channel") == "1");
}

TEST_CASE("a wish that the agent took note of stands until its stream comes") {
    auto bench = SessionBench::as("viewer");
    bench.say(kStart);
    bench.finish(Done{});
    const auto noted = bench.only("stream_status");
    CHECK(noted.str("streaming") == "true");
    CHECK(noted.str("channel") == "null");
    bench.session->regrant("cam_123", SessionBench::grantOf(5, 1, 100));
    const auto heard = bench.hear();
    CHECK(typesOf(heard) == Types{"stream_status", "binary", "binary"});
    CHECK(heard[0].str("streaming") == "true");
}

TEST_CASE("no codec in common is an error and no stream") {
    auto bench = SessionBench::as("viewer");
    bench.say(R"({"type":"stream_control","action":"start","camera_id":"cam_123","codecs":["vp09"],"id":2})");
    CHECK(bench.agent->last<StartStream>().codecs == Types{"vp09"});
    bench.finish(Refusal{ErrorCode::unsupported, "no codec in common", "codecs"});
    const auto error = bench.only("error");
    CHECK(error.str("code") == "unsupported");
    CHECK(error.str("camera_id") == "cam_123");
    bench.session->regrant("cam_123", SessionBench::grantOf(5, 1, 100));
    CHECK_FALSE(bench.session->hasOutput());
}

TEST_CASE("a stream that is moved to no rendition says why, until it flows again") {
    auto bench = SessionBench::as("viewer");
    bench.startVideo();
    bench.session->regrant("cam_123", StreamGrant{});
    const auto heard = bench.hear();
    CHECK(typesOf(heard) == Types{"error", "stream_status"});
    CHECK(heard[0].str("code") == "unsupported");
    CHECK(heard[1].str("reason") == heard[0].str("message"));
    CHECK(heard[1].str("channel") == "null");
    bench.session->regrant("cam_123", SessionBench::grantOf(6, 2, 10));
    CHECK(bench.only("stream_status").str("reason").empty());
}

TEST_CASE("a new channel of the rendition is announced before its init segment") {
    auto bench = SessionBench::as("viewer");
    bench.startVideo();
    bench.play(deltaOf(5, 1, 101));
    bench.play(initOf(5, 2, {640, 360}));
    bench.play(keyOf(5, 2, 102));
    bench.play(deltaOf(5, 1, 103));  // the old channel is over
    const auto heard = bench.hear();
    CHECK(typesOf(heard) == Types{"stream_status", "binary", "binary", "binary"});
    CHECK(heard[0].str("channel") == "2");
    CHECK(heard[0].str("width") == "640");
    CHECK(heard[1].header.channel == 1);
    CHECK(heard[2].header.kind == ChunkKind::initSegment);
    CHECK(heard[2].header.channel == 2);
    CHECK(sequencesOf(heard) == std::vector<std::uint32_t>{101, 0, 102});
}

TEST_CASE("started twice: the same channel, a fresh init segment and key frame, at most once a second") {
    auto bench = SessionBench::as("viewer");
    bench.startVideo();
    bench.say(kStart);
    CHECK(bench.agent->count<StartStream>() == 1);
    CHECK(bench.only("stream_status").str("channel") == "1");

    bench.later(1s);
    bench.play(deltaOf(5, 1, 101));
    bench.say(R"({"type":"stream_control","action":"start","camera_id":"cam_123","id":4})");
    CHECK(bench.agent->count<StartStream>() == 2);
    bench.finish(SessionBench::grantOf(5, 1, 130));
    const auto heard = bench.hear();
    CHECK(typesOf(heard) == Types{"stream_status", "binary", "binary"});
    CHECK(heard[0].str("channel") == "1");
    CHECK(sequencesOf(heard) == std::vector<std::uint32_t>{0, 130});  // what waited is old news
}

TEST_CASE("stop: the answer comes after the last part, and then nothing more") {
    auto bench = SessionBench::as("viewer");
    bench.startVideo();
    const Chunk big = keyOf(5, 1, 101, 1000);
    bench.play(big, 400);
    bench.play(deltaOf(5, 1, 102));
    CHECK(typesOf(bench.hear(1)) == Types{"binary"});  // a third of it
    bench.say(kStop);
    bench.play(deltaOf(5, 1, 103));
    bench.finish(Done{});
    const auto heard = bench.hear();
    CHECK(typesOf(heard) == Types{"binary", "binary", "stream_status"});
    CHECK(heard[2].id() == "3");
    CHECK(heard[2].str("streaming") == "false");
    CHECK(heard[2].str("channel") == "null");
    CHECK_FALSE(bench.session->follows(5));
    bench.play(keyOf(5, 1, 104));
    CHECK_FALSE(bench.session->hasOutput());
}

TEST_CASE("stopping what does not run is answered at once") {
    auto bench = SessionBench::as("viewer");
    bench.say(kStop);
    CHECK(bench.only("stream_status").str("streaming") == "false");
    CHECK(bench.agent->commands.empty());
}

TEST_CASE("a stream stopped and started anew follows the new grant only") {
    auto bench = SessionBench::as("viewer");
    bench.say(R"({"type":"stream_control","action":"start","camera_id":"cam_123","id":"a"})");
    bench.say(R"({"type":"stream_control","action":"stop","camera_id":"cam_123","id":"b"})");
    bench.say(R"({"type":"stream_control","action":"start","camera_id":"cam_123","id":"c"})");
    REQUIRE(bench.agent->commands.size() == 3);
    bench.session->complete(bench.agent->commands[0].ticket, SessionBench::grantOf(5, 1, 100));
    CHECK_FALSE(bench.session->follows(5));
    bench.session->complete(bench.agent->commands[1].ticket, Done{});
    bench.session->complete(bench.agent->commands[2].ticket, SessionBench::grantOf(6, 2, 100));
    CHECK(bench.session->follows(6));
    const auto heard = bench.hear();
    CHECK(typesOf(heard) == Types{"stream_status", "stream_status", "stream_status", "binary", "binary"});
    CHECK(heard[2].str("channel") == "2");
}

TEST_CASE("one camera flows in two forms, and each is stopped by itself") {
    auto bench = SessionBench::as("viewer");
    bench.startVideo();
    bench.say(R"({"type":"stream_control","action":"start","camera_id":"cam_123","format":"jpeg","id":4})");
    StreamGrant grant;
    grant.form = StreamForm::jpeg;
    grant.rendition = 8;
    bench.finish(grant);
    bench.hear();
    Chunk picture = chunkOf(ChunkKind::jpeg, 8, 3, 200);
    picture.format = initOf(8, 3).format;
    bench.play(picture);
    bench.play(deltaOf(5, 1, 101));
    const auto heard = bench.hear();
    CHECK(typesOf(heard) == Types{"stream_status", "binary", "binary"});
    CHECK(heard[0].str("format") == "jpeg");
    CHECK(heard[0].str("channel") == "3");
    bench.say(R"({"type":"stream_control","action":"stop","camera_id":"cam_123","format":"cmaf"})");
    bench.finish(Done{});
    bench.hear();
    CHECK(bench.session->follows(8));
    CHECK_FALSE(bench.session->follows(5));
}

TEST_CASE("another quality moves the stream to another rendition") {
    auto bench = SessionBench::as("viewer");
    bench.startVideo();
    bench.play(deltaOf(5, 1, 101));
    bench.say(R"({"type":"stream_control","action":"quality","camera_id":"cam_123","quality":"low","id":4})");
    StreamGrant grant = SessionBench::grantOf(6, 2, 102);
    grant.quality = "low";
    grant.targetBitrateKbps = 600;
    bench.finish(grant);
    bench.play(deltaOf(5, 1, 103));
    bench.play(deltaOf(6, 2, 103));
    const auto heard = bench.hear();
    CHECK(typesOf(heard) == Types{"stream_status", "binary", "binary", "binary"});
    CHECK(heard[0].id() == "4");
    CHECK(heard[0].str("quality") == "low");
    CHECK(heard[0].str("target_bitrate_kbps") == "600");
    CHECK(heard[0].str("channel") == "2");
    CHECK(sequencesOf(heard) == std::vector<std::uint32_t>{0, 102, 103});
}

TEST_CASE("a quality that moves nothing leaves the stream as it flows") {
    auto bench = SessionBench::as("viewer");
    bench.startVideo();
    bench.play(deltaOf(5, 1, 101));
    bench.say(R"({"type":"stream_control","action":"quality","camera_id":"cam_123","quality":"low","id":4})");
    bench.finish(QualityInForce{"low", 600, {640, 360}, 15});
    const auto heard = bench.hear();
    CHECK(typesOf(heard) == Types{"stream_status", "binary"});
    CHECK(heard[0].str("quality") == "low");
    CHECK(heard[0].str("width") == "1280");  // what flows now; the new size comes with its channel
}

TEST_CASE("video that waits too long is cut, told, and a key frame is asked for") {
    auto bench = SessionBench::as("viewer");
    bench.startVideo();
    for (std::uint32_t sequence = 101; sequence < 110; ++sequence) bench.play(deltaOf(5, 1, sequence));
    bench.later(600ms);
    REQUIRE(bench.agent->count<ForceKeyFrame>() == 1);
    CHECK(bench.agent->commands.back().ticket == 0);
    CHECK(bench.agent->commands.back().cameraId == "cam_123");
    bench.play(deltaOf(5, 1, 110));
    bench.later(100ms);
    CHECK(bench.agent->count<ForceKeyFrame>() == 1);  // at most one a second
    bench.play(keyOf(5, 1, 111));
    bench.play(deltaOf(5, 1, 112));
    bench.later(300ms);
    auto heard = bench.hear();
    CHECK(typesOf(heard) == Types{"drop", "binary", "binary"});
    CHECK(heard[0].str("camera_id") == "cam_123");
    CHECK(heard[0].str("channel") == "1");
    CHECK(heard[0].str("from_sequence") == "101");
    CHECK(heard[0].str("to_sequence") == "109");
    CHECK(heard[0].str("frames") == "9");
    CHECK(sequencesOf(heard) == std::vector<std::uint32_t>{111, 112});
    bench.later(1s);
    const auto rest = bench.only("drop");
    CHECK(rest.str("from_sequence") == "110");
    CHECK(rest.str("to_sequence") == "110");
}

TEST_CASE("what the link carries is told to the agent for each camera's video, in equal shares") {
    auto bench = SessionBench::as("viewer");
    bench.session->linkCarries(900, nullptr);
    CHECK(bench.agent->count<FollowLink>() == 0);  // nothing is streamed
    bench.startVideo();
    const auto gate = std::make_shared<LinkGate>();
    bench.session->linkCarries(900, gate);
    CHECK(bench.agent->last<FollowLink>().kbps == 900);
    CHECK(bench.agent->last<FollowLink>().gate == gate);
    CHECK(bench.agent->commands.back().ticket == 0);
    CHECK(bench.agent->commands.back().cameraId == "cam_123");
    bench.say(R"({"type":"stream_control","action":"start","camera_id":"cam_123","format":"jpeg","id":4})");
    StreamGrant pictures;
    pictures.form = StreamForm::jpeg;
    pictures.rendition = 8;
    bench.finish(pictures);
    bench.session->linkCarries(800, gate);
    CHECK(bench.agent->last<FollowLink>().kbps == 800);  // JPEGs do not follow
}

TEST_CASE("video that is given up for its link is told, and a key frame is asked for") {
    auto bench = SessionBench::as("viewer");
    bench.startVideo();
    for (std::uint32_t sequence = 101; sequence < 104; ++sequence) bench.play(deltaOf(5, 1, sequence));
    bench.session->flushVideo();
    CHECK(bench.agent->count<ForceKeyFrame>() == 1);
    bench.play(keyOf(5, 1, 105));
    bench.later(300ms);
    const auto heard = bench.hear();
    CHECK(typesOf(heard) == Types{"drop", "binary"});
    CHECK(heard[0].str("from_sequence") == "101");
    CHECK(heard[0].str("to_sequence") == "103");
    CHECK(sequencesOf(heard) == std::vector<std::uint32_t>{105});
}

TEST_CASE("who never reads is told of its losses in few words") {
    auto bench = SessionBench::as("viewer");
    bench.startVideo();
    std::uint32_t sequence = 101;
    for (int i = 0; i < 6000; ++i) {  // ten minutes
        bench.play(i % 20 == 0 ? keyOf(5, 1, sequence) : deltaOf(5, 1, sequence));
        ++sequence;
        bench.later(100ms);
    }
    std::size_t drops = 0;
    std::uint32_t frames = 0;
    bench.later(2s);
    const auto heard = bench.hear();
    for (const Heard& item : heard) {
        if (item.type != "drop") continue;
        ++drops;
        frames += item.data()["frames"].GetUint();
    }
    CHECK(drops <= 64);
    bench.later(2s);
    const auto last = bench.hear();
    for (const Heard& item : last) {
        if (item.type == "drop") frames += item.data()["frames"].GetUint();
    }
    CHECK(frames + sequencesOf(heard).size() == 6000);
}

TEST_CASE("what the service itself lost is told as well") {
    auto bench = SessionBench::as("viewer");
    bench.startVideo();
    bench.session->skipped(5, {1, 101, 120, 20, 4000});
    bench.session->skipped(77, {9, 1, 2, 2, 10});  // not followed here
    bench.later(100ms);
    CHECK(bench.only("drop").str("frames") == "20");
}

TEST_CASE("what is not well with a camera that is live is said once, and with its state") {
    auto bench = SessionBench::as("viewer");
    CameraStatus status = bench.view->cameras["door"];
    bench.session->cameraChanged(status);
    status.warning = "its key frames are up to 10 s apart";
    bench.view->cameras["door"] = status;
    bench.session->cameraChanged(status);
    bench.session->cameraChanged(status);
    CHECK(bench.only("stream_status").str("warning") == status.warning);
    bench.say(R"({"type":"status","id":1})");
    CHECK(bench.only("system/status").text.find(status.warning) != std::string::npos);
    status.warning.clear();
    bench.view->cameras["door"] = status;
    bench.session->cameraChanged(status);
    CHECK(bench.only("stream_status").str("warning").empty());
}

TEST_CASE("that faces are looked for otherwise is said at once, and once") {
    auto bench = SessionBench::as("viewer");
    CameraStatus status = bench.view->cameras["door"];
    bench.session->cameraChanged(status);
    status.analysis = {4.5, {480, 270}, "the box is too hot"};
    bench.view->cameras["door"] = status;
    bench.session->cameraChanged(status);
    bench.session->cameraChanged(status);
    CHECK(bench.only("stream_status").text.find(
              R"("analysis":{"rate_hz":4.5,"width":480,"height":270,"reason":"the box is too hot"})") !=
          std::string::npos);
    status.analysis.size = {320, 180};
    bench.view->cameras["door"] = status;
    bench.session->cameraChanged(status);
    CHECK(bench.only("stream_status").text.find(R"("width":320,"height":180)") != std::string::npos);
}

TEST_CASE("a camera's changes reach who subscribed, once each") {
    auto bench = SessionBench::as("viewer");
    CameraStatus status = bench.view->cameras["door"];
    bench.session->cameraChanged(status);
    CHECK_FALSE(bench.session->hasOutput());

    status.state = CameraState::error;
    status.reason = "wrong password";
    bench.view->cameras["door"] = status;
    bench.session->cameraChanged(status);
    const auto heard = bench.hear();
    CHECK(typesOf(heard) == Types{"stream_status", "error", "system/status"});
    CHECK(heard[0].str("state") == "error");
    CHECK(heard[0].str("streaming") == "false");
    CHECK(heard[1].str("code") == "camera_failed");
    CHECK(heard[1].str("camera_id") == "door");
    CHECK(heard[2].str("status") == "degraded");
    ++status.restarts;
    bench.session->cameraChanged(status);
    CHECK_FALSE(bench.session->hasOutput());

    bench.say(R"({"type":"unsubscribe","topics":["*/stream_status","*/error","system"]})");
    bench.hear();
    status.state = CameraState::live;
    bench.session->cameraChanged(status);
    CHECK_FALSE(bench.session->hasOutput());
}

TEST_CASE("the measured bitrate is told when it moved by a tenth, at most once a second") {
    auto bench = SessionBench::as("viewer");
    bench.startVideo();
    std::uint32_t sequence = 101;
    const auto seconds = [&](int count, std::size_t bytes) {
        std::size_t told = 0;
        int last = 0;
        for (int i = 0; i < count * 10; ++i) {
            bench.play(deltaOf(5, 1, sequence++, bytes));
            bench.later(100ms);
            for (const Heard& item : bench.hear()) {
                if (item.type != "stream_status") continue;
                ++told;
                last = item.data()["bitrate_kbps"].GetInt();
            }
        }
        return std::pair{told, last};
    };
    const auto first = seconds(10, 12'500);  // ten a second: 1000 kbit/s
    CHECK(first.first == 1);
    CHECK(first.second == 1000);
    const auto same = seconds(10, 12'800);
    CHECK(same.first == 0);
    const auto half = seconds(10, 6'250);
    CHECK(half.first >= 2);
    CHECK(half.first <= 5);
    CHECK(half.second <= 550);
}

TEST_CASE("faces carry what the protocol says, as rounded fractions and seconds") {
    auto bench = SessionBench::as("viewer");
    bench.session->deliver(faceOf("cam_123", 7, FacePhase::enter));
    const auto face = bench.only("face_detected");
    CHECK(face.str("phase") == "enter");
    CHECK(face.str("track_id") == "7");
    CHECK(face.text.find("\"timestamp\":1700000000.123456,") != std::string::npos);
    CHECK(face.text.find("\"first_seen\":1700000000.000007,") != std::string::npos);
    CHECK(face.text.find("\"box\":[0.12346,0.25,0.1,0.2]") != std::string::npos);
    CHECK(face.text.find("\"capture_us\":1700000000123456") != std::string::npos);
    CHECK(face.data()["face"]["landmarks"].Size() == 5);
    CHECK(face.id().empty());
}

TEST_CASE("detections come only when asked for, thinned if wished") {
    auto bench = SessionBench::as("viewer");
    Detections detections;
    detections.cameraId = "door";
    detections.frame = {12, Utc(Microseconds(1'700'000'000'000'000)), {1280, 720}};
    detections.faces.push_back({7, faceOf("door", 7, FacePhase::update).face});
    bench.session->deliver(detections);
    CHECK_FALSE(bench.session->hasOutput());
    bench.say(R"({"type":"subscribe","topics":["door/detections"],"rate_hz":2})");
    bench.hear();
    std::size_t sent = 0;
    for (int i = 0; i < 20; ++i) {
        bench.session->deliver(detections);
        sent += bench.hear().size();
        bench.later(100ms);
    }
    CHECK(sent == 4);
}

TEST_CASE("a snapshot is announced, then comes as one binary message on a channel of its own") {
    auto bench = SessionBench::as("viewer");
    bench.say(R"({"type":"stream_control","action":"snapshot","camera_id":"door","id":2})");
    bench.finish(SnapshotTaken{chunkOf(ChunkKind::jpeg, 0, 0, 55, 70'000)});
    const auto heard = bench.hear();
    CHECK(typesOf(heard) == Types{"transfer", "binary", "binary"});  // two parts
    CHECK(heard[0].id() == "2");
    CHECK(heard[0].str("bytes") == "70000");
    CHECK(heard[0].str("kind") == "jpeg");
    CHECK(heard[0].data()["channel"].GetUint() == heard[1].header.channel);
    CHECK(heard[1].header.channel >= 0x8000);
    CHECK(heard[1].header.kind == ChunkKind::jpeg);

    bench.say(R"({"type":"stream_control","action":"snapshot","camera_id":"door","id":3})");
    bench.finish(SnapshotTaken{chunkOf(ChunkKind::jpeg, 0, 0, 56, 9 << 20)});
    CHECK(bench.only("error").str("code") == "busy");
    bench.say(R"({"type":"stream_control","action":"snapshot","camera_id":"door","id":4})");
    bench.finish(SnapshotTaken{});
    CHECK(bench.only("error").str("code") == "internal");
}

TEST_CASE("a peer that does not even take init segments is let go") {
    SessionLimits limits;
    limits.lanes.videoBytes = 100;
    auto bench = SessionBench::as("viewer", limits);
    bench.say(kStart);
    StreamGrant grant;
    grant.rendition = 5;
    bench.finish(grant);
    bench.play(initOf(5, 1));
    CHECK_FALSE(bench.session->closeWish());
    bench.play(initOf(5, 2));
    REQUIRE(bench.session->closeWish());
    CHECK(bench.session->closeWish()->code == 1006);
}

namespace {

/// A hub that acknowledges pictures, and the key frame 100 of channel 1 on its way to it.
SessionBench acknowledgingHub() {
    auto bench = SessionBench::hub({});
    bench.say(R"({"type":"system","event":"authenticated","data":{"features":["media_ack"]}})");
    bench.hear();
    bench.startVideo();
    return bench;
}

}  // namespace

TEST_CASE("a hub's media_ack tells how long its pictures take, from the last part on") {
    auto bench = acknowledgingHub();
    CHECK_FALSE(bench.session->mediaAckDelay());
    bench.later(40ms);
    bench.say(R"({"type":"media_ack","channel":1,"sequence":100,"received_us":1,"buffered_ms":90})");
    CHECK(bench.session->mediaAckDelay() == 40ms);
    CHECK_FALSE(bench.session->hasOutput());

    bench.play(deltaOf(5, 1, 101, 300), 100);
    bench.hear(2);
    bench.later(100ms);
    bench.say(R"({"type":"media_ack","channel":1,"sequence":101,"id":11})");
    CHECK(bench.only("error").str("field") == "sequence");  // its third part waits here; it goes with this
    bench.later(70ms);
    bench.say(R"({"type":"media_ack","channel":1,"sequence":101,"id":12})");
    CHECK(bench.only("ok").id() == "12");
    CHECK(bench.session->mediaAckDelay() == 70ms);
    CHECK(bench.session->figures().mediaAcks.count() == 2);
    CHECK(bench.session->figures().mediaAcks.sum == 110ms);
}

TEST_CASE("a media_ack of what was not sent is a bad request, one too many is ignored") {
    auto bench = acknowledgingHub();
    bench.say(R"({"type":"media_ack","channel":2,"sequence":100})");
    const auto channel = bench.only("error");
    CHECK(channel.str("code") == "bad_request");
    CHECK(channel.str("field") == "channel");
    bench.say(R"({"type":"media_ack","channel":1,"sequence":101})");
    CHECK(bench.only("error").str("field") == "sequence");
    for (int i = 0; i < 40; ++i) bench.say(R"({"type":"media_ack","channel":1,"sequence":101})");
    CHECK(bench.hear().size() == 3);
    CHECK_FALSE(bench.session->closeWish());
    bench.say(R"({"type":"media_ack","channel":1,"sequence":100,"id":11})");
    CHECK(bench.only("error").str("code") == "rate_limited");
    bench.later(200ms);
    bench.say(R"({"type":"media_ack","channel":1,"sequence":99,"id":12})");
    CHECK(bench.only("ok").id() == "12");  // old: no news
    CHECK_FALSE(bench.session->mediaAckDelay());
}

TEST_CASE("nothing comes of a media_ack that no hub offered") {
    auto bench = SessionBench::hub({});
    bench.say(R"({"type":"system","event":"authenticated","data":{"features":["ack"]}})");
    bench.hear();
    bench.startVideo();
    bench.say(R"({"type":"media_ack","channel":9,"sequence":9})");
    CHECK_FALSE(bench.session->hasOutput());
    CHECK_FALSE(bench.session->mediaAckDelay());
}
