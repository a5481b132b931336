// Whole cameras with a real RTSP server that offers two streams, a big and a small one.
#include <doctest/doctest.h>

#include <set>

#include "base/log.hpp"
#include "capture/gst.hpp"
#include "tests/support/camera_bench.hpp"
#include "tests/support/rtsp_server.hpp"

using namespace edgecam;
using namespace edgecam::capture;
using namespace std::chrono_literals;
using test::CameraBench;
using test::RtspServer;

namespace {

constexpr Size kMain{1280, 720};
constexpr Size kSub{640, 360};

std::string ball(Size size, int rate, int kbps, const std::string& pattern = "ball") {
    return concat("( videotestsrc is-live=true pattern=", pattern,
                  " ! video/x-raw,format=I420,width=", size.width, ",height=", size.height,
                  ",framerate=", rate, "/1 ! x264enc tune=zerolatency speed-preset=ultrafast bitrate=", kbps,
                  " key-int-max=", rate,
                  " ! video/x-h264,profile=main ! rtph264pay name=pay0 pt=96 config-interval=-1 )");
}

RtspServer serve(test::RtspServerOptions options) {
    auto server = RtspServer::start(options);
    REQUIRE(server);
    return std::move(*server);
}

RtspServer serveBoth(const std::string& sub = ball(kSub, 15, 200)) {
    return serve({.file = {}, .launch = ball(kMain, 25, 2000), .sub = sub});
}

StreamWish low(int kbps = 350) {
    StreamWish wish{.encoded = true, .settings = {kbps, kSub, 15}};
    wish.sub = SubLimits{.kbps = kbps, .size = kSub};
    return wish;
}

StreamRequest lowVideo(int kbps = 350) {
    return {.form = StreamForm::cmaf, .codecs = {"avc1"}, .wish = low(kbps)};
}

/// A camera that two streams are told of, and what it was ever busy with.
struct Bench : CameraBench {
    Bench(const std::string& main, const std::string& sub) : CameraBench(main, {}, sub) {}

    /// As CameraBench::until(), and keeps what was seen meanwhile.
    bool watch(const std::function<bool()>& predicate, std::chrono::milliseconds limit = 20s) {
        return until(
            [&] {
                const CameraActivity now = camera->activity();
                everEncoded = everEncoded || now.encodes > 0;
                everDecoded = everDecoded || now.decoding;
                everOpenedSub = everOpenedSub || now.subOpen;
                return predicate();
            },
            limit);
    }
    bool watchChunks(RenditionId rendition, std::size_t count) {
        return watch([&] { return log.count(rendition) >= count; });
    }
    [[nodiscard]] std::optional<Picture> nextPicture() {
        std::optional<Picture> picture = pictures.take();
        watch([&] {
            if (!picture) picture = pictures.take();
            return picture.has_value();
        });
        return picture;
    }

    bool everEncoded = false;
    bool everDecoded = false;
    bool everOpenedSub = false;
};

/// What the camera coded: behind the head of the `mdat` box.
std::vector<std::uint8_t> codedOf(const Chunk& chunk) {
    const ByteBuffer& bytes = *chunk.payload;
    const std::string_view name = "mdat";
    const auto found = std::search(bytes.begin(), bytes.end(), name.begin(), name.end());
    REQUIRE(found != bytes.end());
    return {found + 4, bytes.end()};
}

std::vector<Chunk> unitsOf(const CameraBench& bench, RenditionId rendition) {
    return bench.chunks(rendition, ChunkKind::accessUnit);
}

/// The longest way between two pictures that came one after the other.
Microseconds longestGap(const std::vector<Chunk>& units) {
    Microseconds longest{0};
    for (std::size_t i = 1; i < units.size(); ++i) {
        longest = std::max(longest, Microseconds(units[i].captureTime - units[i - 1].captureTime));
    }
    return longest;
}

/// Where the ball is, from 0 to 1 each way: its middle goes from one radius to the other side less one. The
/// picture's grey is above `kBall` on it alone.
PointNorm ballIn(const Picture& picture) {
    constexpr int kBall = 128;
    constexpr double kRadius = 20;  // videotestsrc's, in pixels at every size
    double x = 0, y = 0, count = 0;
    for (int row = 0; row < picture.size.height; ++row) {
        const std::uint8_t* line = picture.planes[0].data + std::ptrdiff_t{row} * picture.planes[0].stride;
        for (int column = 0; column < picture.size.width; ++column) {
            if (line[column] < kBall) continue;
            x += column;
            y += row;
            ++count;
        }
    }
    REQUIRE(count > 0);
    return {static_cast<float>((x / count - kRadius) / (picture.size.width - 2 * kRadius)),
            static_cast<float>((y / count - kRadius) / (picture.size.height - 2 * kRadius))};
}

struct Seen {
    Utc at;
    PointNorm ball;
};

Seen seenIn(const Picture& picture) {
    return {picture.captureTime, ballIn(picture)};
}

/// What another stream shows at that moment, between its two nearest pictures; nothing: it saw none about it.
std::optional<PointNorm> ballAt(const std::vector<Seen>& seen, Utc at) {
    for (std::size_t i = 1; i < seen.size(); ++i) {
        const Seen& a = seen[i - 1];
        const Seen& b = seen[i];
        if (at < a.at || at > b.at || b.at - a.at > 100ms) continue;
        const float share =
            static_cast<float>((at - a.at).count()) / static_cast<float>((b.at - a.at).count());
        return PointNorm{a.ball.x + share * (b.ball.x - a.ball.x), a.ball.y + share * (b.ball.y - a.ball.y)};
    }
    return std::nullopt;
}

}  // namespace

TEST_CASE("a wish for less is served by the sub stream bit for bit: nothing is encoded, nothing decoded") {
    const RtspServer server = serveBoth();
    Bench bench(server.url(), server.subUrl());
    auto lease = bench.camera->open({});
    REQUIRE(lease);
    const RenditionId main = (*lease)->rendition();
    REQUIRE(bench.watchChunks(main, 50));
    CHECK((*lease)->kind() == RenditionKind::passthrough);
    CHECK_FALSE(bench.everOpenedSub);  // nobody asked

    RenditionId small = 0;
    std::vector<Chunk> joined;
    (*lease)->whenMoved([&] {
        small = (*lease)->rendition();
        (*lease)->join([&](const Backlog& backlog) { joined = backlog.chunks; });
    });
    (*lease)->wish(low());
    CHECK((*lease)->goal() == RenditionKind::sub);
    CHECK((*lease)->rendition() == main);  // until the other has a picture
    CHECK_FALSE((*lease)->aim());
    REQUIRE(bench.watch([&] { return small != 0; }));
    CHECK((*lease)->kind() == RenditionKind::sub);
    REQUIRE(joined.size() >= 2);
    CHECK(joined[0].kind == ChunkKind::initSegment);
    CHECK(joined[0].format->kind == RenditionKind::sub);
    CHECK(joined[0].format->size == kSub);
    CHECK(joined[1].keyFrame);

    // The same stream as a camera of its own that knows nothing of the other.
    CameraBench alone(server.subUrl());
    auto reference = alone.camera->open({});
    REQUIRE(reference);
    REQUIRE(alone.untilChunks((*reference)->rendition(), 2));
    const std::size_t before = bench.log.count(small);
    REQUIRE(bench.watchChunks(small, before + 40));
    std::set<std::vector<std::uint8_t>> coded;
    for (const Chunk& unit : unitsOf(alone, (*reference)->rendition())) coded.insert(codedOf(unit));
    const auto units = unitsOf(bench, small);
    std::size_t same = 0;
    for (const Chunk& unit : units) same += coded.count(codedOf(unit));
    MESSAGE(same, " of ", units.size(), " pictures are byte for byte the reference's ", coded.size());
    CHECK(same >= 30);
    CHECK(same + 3 >= coded.size());

    // One number, one picture; one running time.
    std::set<std::uint32_t> numbers;
    const auto mains = unitsOf(bench, main);
    for (const auto& each : {mains, units}) {
        for (const Chunk& unit : each) CHECK(numbers.insert(unit.sequence).second);
    }
    const auto lag = [](const Chunk& unit) {
        return Microseconds(microsecondsOf(unit.captureTime)) -
               Microseconds(static_cast<std::int64_t>(test::decodeTimeOf(unit)));
    };
    CHECK(std::chrono::abs(lag(units.back()) - lag(mains.back())) < 200ms);

    (*lease)->wish({});
    REQUIRE(bench.watch([&] { return (*lease)->kind() == RenditionKind::passthrough; }));
    CHECK((*lease)->rendition() == main);
    CHECK(bench.watch([&] { return !bench.camera->activity().subOpen; }));  // nobody asks any more
    CHECK_FALSE(bench.everEncoded);
    CHECK_FALSE(bench.everDecoded);
    CHECK_FALSE(bench.camera->activity().subDecoding);
    CHECK(longestGap(unitsOf(bench, main)) < 500ms);
    CHECK(bench.camera->status().restarts == 0);
}

TEST_CASE("who begins with such a wish waits for the sub stream, without an encode in between") {
    const RtspServer server = serveBoth();
    Bench bench(server.url(), server.subUrl());
    REQUIRE(bench.untilState(CameraState::live));
    auto lease = bench.camera->open(lowVideo());
    REQUIRE(lease);
    CHECK((*lease)->kind() == RenditionKind::sub);
    REQUIRE(bench.watchChunks((*lease)->rendition(), 30));
    CHECK_FALSE(bench.everEncoded);
    CHECK(bench.camera->substream()->size == kSub);
    REQUIRE(bench.watch([&] { return bench.camera->substream()->kbps > 0; }));
    CHECK((*lease)->kind() == RenditionKind::sub);
}

TEST_CASE("a sub stream that takes more than was wished gives way to an encode, made of its pictures") {
    const RtspServer server = serveBoth(ball(kSub, 15, 1500, "snow"));
    Bench bench(server.url(), server.subUrl());
    REQUIRE(bench.untilState(CameraState::live));
    auto lease = bench.camera->open(lowVideo());
    REQUIRE(lease);
    int moves = 0;
    (*lease)->whenMoved([&] { ++moves; });
    REQUIRE(bench.watch([&] { return moves == 1; }));
    CHECK((*lease)->kind() == RenditionKind::encoded);
    CHECK(bench.camera->substream()->kbps > 350);
    const RenditionId id = (*lease)->rendition();
    REQUIRE(bench.until(
        [&] { return bench.camera->activity().subDecoding && !bench.camera->activity().decoding; }));
    const std::size_t count = bench.log.count(id);
    REQUIRE(bench.untilChunks(id, count + 45));
    CHECK_FALSE(bench.camera->activity().decoding);
    CHECK(longestGap(unitsOf(bench, id)) < 700ms);
    CHECK(moves == 1);
    // An encode for more than the sub stream shows is made of the main one.
    (*lease)->wish({.encoded = true, .settings = {1000, {}, 0}});
    CHECK(
        bench.watch([&] { return bench.camera->activity().decoding && !bench.camera->activity().subOpen; }));
}

TEST_CASE("analysis decodes the sub stream alone; a snapshot is still the main stream's") {
    const RtspServer server = serveBoth();
    Bench bench(server.url(), server.subUrl());
    bench.camera->look(10);
    auto lease = bench.camera->open(lowVideo());
    REQUIRE(lease);
    std::vector<Picture> looked;
    for (int i = 0; i < 20; ++i) {
        const auto picture = bench.nextPicture();
        REQUIRE(picture);
        looked.push_back(*picture);
    }
    CHECK_FALSE(bench.everDecoded);
    CHECK(bench.camera->activity().subDecoding);
    const auto units = unitsOf(bench, (*lease)->rendition());
    for (const Picture& picture : looked) {
        CHECK(picture.size == kSub);
        const auto same = std::ranges::find(units, picture.sequence, &Chunk::sequence);
        REQUIRE(same != units.end());
        CHECK(same->captureTime == picture.captureTime);
    }
    std::optional<Result<Chunk>> snapshot;
    bench.camera->snapshot([&](Result<Chunk> made) { snapshot = std::move(made); });
    REQUIRE(bench.until([&] { return snapshot.has_value(); }));
    REQUIRE(*snapshot);
    CHECK((*snapshot)->format->size == kMain);
    CHECK(bench.until([&] { return !bench.camera->activity().decoding; }));
    bench.camera->look(0);
    lease->reset();
    CHECK(bench.until([&] { return !bench.camera->activity().subOpen; }));
    CHECK(bench.camera->activity().open);
}

TEST_CASE(
    "the sub stream dies: the main one stands in; it comes back: so do they; the main one never breaks") {
    const RtspServer server = serve({.file = {}, .launch = ball(kMain, 25, 2000)});
    test::RtspServerOptions smallOptions{.file = {}, .launch = ball(kSub, 15, 200)};
    RtspServer small = serve(smallOptions);
    smallOptions.port = small.port();
    Bench bench(server.url(), small.url());
    bench.camera->look(10);
    auto plain = bench.camera->open({});
    auto lease = bench.camera->open(lowVideo());
    REQUIRE(plain);
    REQUIRE(lease);
    int moves = 0;
    (*lease)->whenMoved([&] { ++moves; });
    const RenditionId sub = (*lease)->rendition();
    const auto looksAt = [&](Size size) {
        const auto picture = bench.nextPicture();
        return picture && picture->size == size;
    };
    REQUIRE(bench.watchChunks(sub, 30));
    REQUIRE(bench.watch([&] { return looksAt(kSub); }));
    CHECK((*lease)->kind() == RenditionKind::sub);
    CHECK_FALSE(bench.everDecoded);

    small.kill();
    REQUIRE(bench.until([&] { return moves == 1; }));
    CHECK((*lease)->kind() == RenditionKind::encoded);
    REQUIRE(bench.untilChunks((*lease)->rendition(), 10));
    CHECK(bench.until([&] { return looksAt(kMain); }));
    CHECK(bench.camera->activity().decoding);

    small = serve(smallOptions);
    REQUIRE(bench.until([&] { return moves == 2; }, 20s));
    CHECK((*lease)->rendition() == sub);
    CHECK(bench.until([&] { return looksAt(kSub); }));
    CHECK(bench.until(
        [&] { return !bench.camera->activity().decoding && bench.camera->activity().encodes == 0; }));
    const auto units = unitsOf(bench, sub);
    CHECK(std::ranges::any_of(units, &Chunk::discontinuity));

    CHECK(bench.camera->status().state == CameraState::live);
    CHECK(bench.camera->status().restarts == 0);
    CHECK((*plain)->kind() == RenditionKind::passthrough);
    const auto mains = unitsOf(bench, (*plain)->rendition());
    CHECK(std::ranges::none_of(mains, &Chunk::discontinuity));
    CHECK(longestGap(mains) < 500ms);
}

TEST_CASE("a sub stream that is not there costs who wants it two seconds at most") {
    const RtspServer server = serve({.file = {}, .launch = ball(kMain, 25, 2000)});
    Bench bench(server.url(), "rtsp://127.0.0.1:1/sub");
    REQUIRE(bench.untilState(CameraState::live));
    auto lease = bench.camera->open(lowVideo());
    REQUIRE(lease);
    REQUIRE(bench.watch([&] { return (*lease)->kind() == RenditionKind::encoded; }, 3s));
    REQUIRE(bench.untilChunks((*lease)->rendition(), 10));
    CHECK(bench.camera->status().state == CameraState::live);
    CHECK(bench.camera->status().reason.empty());
}

TEST_CASE("who does not take the main stream's coding gets the sub stream before an encode") {
    if (!elementExists("x265enc")) {
        MESSAGE("skipped: no x265enc for the test server");
        return;
    }
    const std::string main =
        "( videotestsrc is-live=true pattern=ball ! "
        "video/x-raw,format=I420,width=640,height=360,framerate=15/1 "
        "! x265enc tune=zerolatency speed-preset=ultrafast key-int-max=15 ! rtph265pay name=pay0 pt=96 "
        "config-interval=-1 )";
    const RtspServer server = serve({.file = {}, .launch = main, .sub = ball({320, 180}, 15, 150)});
    Bench bench(server.url(), server.subUrl());
    StreamRequest any;
    any.wish.sub = SubLimits{};
    auto plain = bench.camera->open(any);
    any.codecs = {"hvc1", "avc1"};
    auto modern = bench.camera->open(any);
    REQUIRE(plain);
    REQUIRE(modern);
    REQUIRE(bench.watch([&] { return (*plain)->kind() == RenditionKind::sub; }));
    REQUIRE(bench.watchChunks((*plain)->rendition(), 20));
    REQUIRE(bench.watchChunks((*modern)->rendition(), 20));
    CHECK((*modern)->kind() == RenditionKind::passthrough);
    CHECK_FALSE(bench.everEncoded);
    CHECK_FALSE(bench.everDecoded);
    CHECK(bench.log.of((*plain)->rendition())[0].format->codec == Codec::h264);
}

TEST_CASE("a sub stream of another shape is not analysed, and serves nobody") {
    const RtspServer server = serveBoth(ball({640, 480}, 15, 200));
    Bench bench(server.url(), server.subUrl());
    bench.camera->look(10);
    auto lease = bench.camera->open(lowVideo());
    REQUIRE(lease);
    REQUIRE(bench.watch([&] { return (*lease)->kind() == RenditionKind::encoded; }));
    REQUIRE(bench.until([&] {
        const auto picture = bench.nextPicture();
        return picture && picture->size == kMain;
    }));
    CHECK(bench.until([&] { return !bench.camera->activity().subOpen; }));
    CHECK(bench.camera->activity().decoding);
    CHECK(bench.camera->status().state == CameraState::live);
    CHECK(bench.camera->status().warning.starts_with("its sub stream is not used: pictures of 640x480 "));
}

TEST_CASE("what is found in the sub stream lies where the main stream shows it at the same capture time") {
    // Where the ball is depends on the clock on the wall alone: both streams show the same scene, one picture
    // late.
    const std::string scene = "ball animation-mode=wall-time motion=sweep";
    const RtspServer server =
        serve({.file = {}, .launch = ball(kMain, 25, 2000, scene), .sub = ball(kSub, 25, 400, scene)});
    Bench bench(server.url(), server.subUrl());
    CameraBench mainAlone(server.url());
    bench.camera->look(25);
    mainAlone.camera->look(25);
    std::vector<Seen> small, big;
    REQUIRE(bench.until([&] {
        if (const auto picture = bench.pictures.take(); picture && picture->size == kSub) {
            small.push_back(seenIn(*picture));
        }
        if (const auto picture = mainAlone.pictures.take()) big.push_back(seenIn(*picture));
        return small.size() >= 45 && big.size() >= 75;
    }));
    std::vector<float> apart;
    float way = 0;
    for (std::size_t i = 0; i < small.size(); ++i) {
        if (i > 0) way += std::abs(small[i].ball.x - small[i - 1].ball.x);
        const auto there = ballAt(big, small[i].at);
        if (!there) continue;
        apart.push_back(std::max(std::abs(there->x - small[i].ball.x), std::abs(there->y - small[i].ball.y)));
    }
    REQUIRE(apart.size() >= 20);
    CHECK(way > 1);  // it did move
    std::ranges::sort(apart);
    MESSAGE("apart by ", apart[apart.size() / 2], " of the picture in the middle, ", apart.back(),
            " at most; it moves ",
            way / std::chrono::duration<float>(small.back().at - small.front().at).count(), " a second");
    CHECK(apart[apart.size() / 2] < 0.1F);
}
