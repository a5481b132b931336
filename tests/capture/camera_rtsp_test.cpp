// Whole cameras with a real RTSP server: passed through, killed, frozen, locked.
#include <doctest/doctest.h>

#include <cstdlib>
#include <filesystem>

#include "capture/gst.hpp"
#include "tests/support/camera_bench.hpp"
#include "tests/support/rtsp_server.hpp"

using namespace edgecam;
using namespace edgecam::capture;
using namespace std::chrono_literals;
using test::CameraBench;
using test::decodeTimeOf;
using test::RtspServer;

namespace {

const StreamRequest kVideo{};

std::string sharedFile(const std::string& name) {
    const char* folder = std::getenv("EDGECAM_SHARED");
    const std::string path = std::string(folder ? folder : "../shared") + "/" + name;
    return std::filesystem::exists(path) ? path : std::string();
}

/// The real clip where it is at hand, else a live moving ball.
RtspServer startServer(test::RtspServerOptions options = {}) {
    if (options.launch.empty()) options.file = sharedFile("media/people_720p30.mp4");
    if (options.file.empty() && options.launch.empty())
        MESSAGE("no people_720p30.mp4: served by videotestsrc and x264enc");
    auto server = RtspServer::start(options);
    REQUIRE(server);
    return std::move(*server);
}

double secondsSince(std::chrono::steady_clock::time_point start) {
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

void checkOrder(const std::vector<Chunk>& chunks) {
    REQUIRE(chunks.size() > 1);
    CHECK(chunks[0].kind == ChunkKind::initSegment);
    CHECK(chunks[1].keyFrame);
    std::uint64_t lastTime = 0;
    std::uint32_t lastSequence = 0;
    for (const Chunk& chunk : chunks) {
        if (chunk.kind != ChunkKind::accessUnit) continue;
        CHECK(decodeTimeOf(chunk) > lastTime);
        CHECK(chunk.sequence > lastSequence);
        lastTime = decodeTimeOf(chunk);
        lastSequence = chunk.sequence;
    }
}

}  // namespace

TEST_CASE("an RTSP camera is passed through: in order, complete, not decoded") {
    const RtspServer server = startServer();
    CameraBench bench(server.url());
    auto lease = bench.camera->open(kVideo);
    REQUIRE(lease);
    CHECK((*lease)->kind() == RenditionKind::passthrough);
    const RenditionId id = (*lease)->rendition();
    REQUIRE(bench.untilState(CameraState::live));
    REQUIRE(bench.untilChunks(id, 75));
    const auto chunks = bench.log.of(id);
    checkOrder(chunks);
    for (std::size_t i = 2; i < chunks.size(); ++i) CHECK(chunks[i].sequence == chunks[i - 1].sequence + 1);
    CHECK(chunks[0].format->kind == RenditionKind::passthrough);
    CHECK(chunks[0].format->encoder.empty());
    CHECK_FALSE(bench.camera->activity().decoding);
    CHECK(bench.camera->activity().encodes == 0);
    CHECK((*lease)->rendition() == id);
}

TEST_CASE("a camera whose key frames are far apart is live, and its status says so") {
    test::RtspServerOptions options;
    options.launch =
        "( videotestsrc is-live=true ! video/x-raw,format=I420,width=160,height=96,framerate=15/1 "
        "! x264enc tune=zerolatency key-int-max=90 ! h264parse ! rtph264pay name=pay0 pt=96 )";
    const RtspServer server = startServer(options);
    CameraBench bench(server.url());
    REQUIRE(bench.untilState(CameraState::live));
    CHECK(bench.camera->status().warning.empty());
    REQUIRE(bench.until([&] { return !bench.camera->status().warning.empty(); }));
    CHECK(bench.camera->status().state == CameraState::live);
    const auto says = [&](const char* words) {
        return bench.camera->status().warning.find(words) != std::string::npos;
    };
    REQUIRE(bench.until([&] { return says("up to 6 s apart"); }));
    bench.camera->enable(false);
    CHECK(bench.camera->status().warning.empty());
}

TEST_CASE("a passed-through camera can be looked at and encoded beside") {
    const RtspServer server = startServer();
    CameraBench bench(server.url());
    REQUIRE(bench.untilState(CameraState::live));
    auto plain = bench.camera->open(kVideo);
    REQUIRE(plain);
    REQUIRE(bench.untilChunks((*plain)->rendition(), 30));

    StreamRequest wish;
    wish.wish.encoded = true;
    const auto start = std::chrono::steady_clock::now();
    auto encoded = bench.camera->open(wish);
    REQUIRE(encoded);
    CHECK((*encoded)->rendition() != (*plain)->rendition());
    REQUIRE(bench.untilChunks((*encoded)->rendition(), 2));
    MESSAGE("first encoded picture after ", secondsSince(start) * 1000, " ms, with the decoder cold before");
    bench.camera->look(30);
    std::vector<Picture> looked;
    REQUIRE(bench.until([&] {
        if (auto picture = bench.pictures.take()) looked.push_back(*picture);
        return looked.size() == 20;
    }));
    const auto coded = bench.log.of((*plain)->rendition());
    for (const Picture& picture : looked) {
        const auto same = std::find_if(coded.begin(), coded.end(), [&](const Chunk& chunk) {
            return chunk.kind == ChunkKind::accessUnit && chunk.sequence == picture.sequence;
        });
        REQUIRE(same != coded.end());
        CHECK(same->captureTime == picture.captureTime);
    }
    checkOrder(bench.log.of((*encoded)->rendition()));
    bench.camera->look(0);
    encoded->reset();
    CHECK(bench.until([&] { return !bench.camera->activity().decoding; }));
}

TEST_CASE(
    "where nobody is followed key frames are decoded, once they are known to come often; else everything") {
    test::RtspServerOptions options;
    options.launch =
        "( videotestsrc is-live=true pattern=ball ! "
        "video/x-raw,format=I420,width=320,height=180,framerate=30/1 ! x264enc tune=zerolatency "
        "speed-preset=ultrafast key-int-max=20 ! rtph264pay name=pay0 pt=96 config-interval=-1 )";
    const RtspServer server = startServer(options);
    CameraBench bench(server.url());
    const auto onlyKeys = [&] { return bench.camera->activity().onlyKeyFrames; };
    bench.camera->look(30);
    bench.camera->idleDecode(IdleDecode::automatic);
    auto plain = bench.camera->open(kVideo);
    REQUIRE(plain);
    std::vector<std::uint32_t> looked;
    const auto look = [&] {
        if (const auto picture = bench.pictures.take()) looked.push_back(picture->sequence);
        return looked.size();
    };
    REQUIRE(bench.until([&] { return look() > 0 && onlyKeys(); }));
    looked.clear();
    REQUIRE(bench.until([&] { return look() >= 4; }));
    const auto isKey = [&](std::uint32_t sequence) {
        return std::ranges::any_of(bench.log.of((*plain)->rendition()), [&](const Chunk& chunk) {
            return chunk.kind == ChunkKind::accessUnit && chunk.keyFrame && chunk.sequence == sequence;
        });
    };
    // The first may still be of the full decode.
    for (std::size_t i = 1; i < looked.size(); ++i) CHECK(isKey(looked[i]));

    bench.camera->attend(true);
    CHECK_FALSE(onlyKeys());
    CHECK(bench.camera->activity().decoding);
    looked.clear();
    REQUIRE(bench.until([&] { return look() >= 25; }));
    CHECK(std::ranges::count_if(looked, isKey) < 10);
    bench.camera->attend(false);
    CHECK_FALSE(onlyKeys());  // not at once
    REQUIRE(bench.until(onlyKeys));

    StreamRequest wish;
    wish.wish.encoded = true;
    auto encoded = bench.camera->open(wish);
    REQUIRE(encoded);
    REQUIRE(bench.untilChunks((*encoded)->rendition(), 20));
    CHECK_FALSE(onlyKeys());
    encoded->reset();
    REQUIRE(bench.until(onlyKeys));
    bench.camera->idleDecode(IdleDecode::full);
    CHECK_FALSE(onlyKeys());
}

TEST_CASE("a killed server is noticed, and when it is back the video is, within three seconds") {
    RtspServer server = startServer();
    test::RtspServerOptions again;
    again.port = server.port();
    CameraBench bench(server.url());
    CameraBench other("test://bars?width=320&height=180");
    auto lease = bench.camera->open(kVideo);
    REQUIRE(lease);
    const RenditionId id = (*lease)->rendition();
    REQUIRE(bench.untilChunks(id, 30));
    server.kill();
    REQUIRE(bench.until([&] { return bench.camera->status().state == CameraState::reconnecting; }));
    CHECK_FALSE(bench.camera->status().reason.empty());
    REQUIRE(bench.until([&] { return bench.camera->status().restarts >= 3; }));  // the back-off has grown
    const std::size_t count = bench.log.count(id);
    server = startServer(again);
    const auto start = std::chrono::steady_clock::now();
    REQUIRE(bench.untilChunks(id, count + 2, 20s));
    MESSAGE("video is back ", secondsSince(start), " s after the server's start");
    CHECK(bench.untilState(CameraState::live));
    CHECK(bench.camera->status().reason.empty());
    const auto chunks = bench.log.of(id);
    checkOrder(chunks);
    CHECK(chunks[count].discontinuity);
    CHECK(chunks[count].keyFrame);
    CHECK(chunks[count].channel == chunks[count - 1].channel);
    CHECK(other.camera->status().restarts == 0);
    CHECK(other.camera->status().state == CameraState::live);
}

TEST_CASE("a frozen server is a stall, and its thaw heals it") {
    const RtspServer server = startServer();
    CameraBench bench(server.url());
    REQUIRE(bench.untilState(CameraState::live));
    server.freeze();
    const auto start = std::chrono::steady_clock::now();
    REQUIRE(bench.until([&] { return bench.camera->status().state != CameraState::live; }, 20s));
    MESSAGE("noticed after ", secondsSince(start), " s: ", bench.camera->status().reason);
    CHECK(bench.camera->status().reason.starts_with("no picture for more than "));
    server.thaw();
    CHECK(bench.untilState(CameraState::live, 20s));
}

TEST_CASE("a wrong password is an error that is not retried soon; the right one works") {
    for (const std::string kind : {"basic", "digest"}) {
        CAPTURE(kind);
        test::RtspServerOptions options;
        options.auth = kind;
        const RtspServer server = startServer(options);
        CameraBench wrong(server.url("user:guess"));
        CameraBench right(server.url("user:pass"));
        REQUIRE(wrong.untilState(CameraState::error));
        CHECK(wrong.camera->status().reason.find("guess") == std::string::npos);
        CHECK(right.untilState(CameraState::live));
        REQUIRE(right.until([&] { return right.camera->activity().pictures > 60; }));
        CHECK(wrong.camera->status().restarts == 0);
        CHECK(wrong.camera->status().state == CameraState::error);
    }
}

TEST_CASE("B-frames without decode times: decode times are made, the pictures keep their order") {
    const std::string clip = sharedFile("media/clips/asl_again.mp4");
    if (clip.empty()) {
        MESSAGE("skipped: no ../shared/media/clips/asl_again.mp4");
        return;
    }
    test::RtspServerOptions options;
    options.launch = "( filesrc location=" + clip + " ! qtdemux ! h264parse ! rtph264pay name=pay0 pt=96 )";
    const RtspServer server = startServer(options);
    CameraBench bench(server.url());
    auto lease = bench.camera->open(kVideo);
    REQUIRE(lease);
    REQUIRE(bench.untilChunks((*lease)->rendition(), 60));
    checkOrder(bench.log.of((*lease)->rendition()));
    bench.camera->look(60);
    std::vector<Utc> looked;
    REQUIRE(bench.until([&] {
        if (auto picture = bench.pictures.take()) looked.push_back(picture->captureTime);
        return looked.size() == 10;
    }));
    CHECK(std::is_sorted(looked.begin(), looked.end()));
}

TEST_CASE("H.265 goes to those who take it, the others are moved to the encode") {
    if (!elementExists("x265enc")) {
        MESSAGE("skipped: no x265enc for the test server");
        return;
    }
    test::RtspServerOptions options;
    options.launch =
        "( videotestsrc is-live=true pattern=ball ! "
        "video/x-raw,format=I420,width=320,height=180,framerate=15/1 ! "
        "x265enc tune=zerolatency speed-preset=ultrafast key-int-max=15 ! rtph265pay name=pay0 pt=96 "
        "config-interval=-1 )";
    const RtspServer server = startServer(options);
    CameraBench bench(server.url());
    auto modern = bench.camera->open({.form = StreamForm::cmaf, .codecs = {"hvc1", "avc1"}});
    auto plain = bench.camera->open(kVideo);
    REQUIRE(modern);
    REQUIRE(plain);
    CHECK((*plain)->kind() == RenditionKind::passthrough);  // what an RTSP camera most likely is
    RenditionId movedTo = 0;
    (*plain)->whenMoved([&] { movedTo = (*plain)->rendition(); });
    REQUIRE(bench.untilState(CameraState::live, 20s));
    REQUIRE(bench.until([&] { return movedTo != 0; }));
    CHECK((*plain)->kind() == RenditionKind::encoded);
    CHECK((*modern)->kind() == RenditionKind::passthrough);
    REQUIRE(bench.untilChunks(movedTo, 5));
    REQUIRE(bench.untilChunks((*modern)->rendition(), 5));
    CHECK(bench.log.of(movedTo)[0].format->codec == Codec::h264);
    CHECK(bench.log.of((*modern)->rendition())[0].format->codecString.starts_with("hvc1."));
}

TEST_CASE("nobody listens there: retried with the reason") {
    CameraBench bench("rtsp://user:secret@127.0.0.1:1/cam?token=secret");
    REQUIRE(bench.until([&] { return bench.camera->status().restarts >= 2; }));
    CHECK(bench.camera->status().state == CameraState::reconnecting);
    CHECK(bench.camera->status().reason.starts_with("cannot connect to 127.0.0.1:1: "));
    CHECK(bench.camera->status().reason.find("secret") == std::string::npos);
}
