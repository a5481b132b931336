// Whole cameras with the drawn scene, in real time.
#include <doctest/doctest.h>

#include "capture/synthetic_scene.hpp"
#include "tests/support/camera_bench.hpp"

using namespace edgecam;
using namespace edgecam::capture;
using namespace std::chrono_literals;
using test::CameraBench;
using test::decodeTimeOf;

namespace {

constexpr const char* kFaces = "test://faces?width=640&height=360&fps=30";
const StreamRequest kVideo{};
const StreamRequest kJpeg{.form = StreamForm::jpeg, .codecs = {}, .wish = {}};

}  // namespace

TEST_CASE("a test camera is live at once, and nothing is encoded while nobody watches") {
    CameraBench bench(kFaces);
    REQUIRE(bench.untilState(CameraState::live));
    REQUIRE(bench.until([&] { return bench.camera->activity().pictures > 15; }));
    const CameraActivity activity = bench.camera->activity();
    CHECK(activity.encodes == 0);
    CHECK_FALSE(activity.encodingJpeg);
    CHECK_FALSE(activity.decoding);
    CHECK(bench.camera->status().size == Size{640, 360});
    CHECK(bench.camera->status().frameRate == 30);
    CHECK(bench.states.back().state == CameraState::live);
}

TEST_CASE("a lease starts the encode, its end stops it") {
    CameraBench bench(kFaces);
    auto lease = bench.camera->open(kVideo);
    REQUIRE(lease);
    const RenditionId id = (*lease)->rendition();
    CHECK((*lease)->kind() == RenditionKind::encoded);
    REQUIRE(bench.untilChunks(id, 20));
    const auto chunks = bench.log.of(id);
    CHECK(chunks[0].kind == ChunkKind::initSegment);
    CHECK(chunks[1].keyFrame);
    CHECK(bench.camera->activity().encodes == 1);
    lease->reset();
    CHECK(bench.until([&] { return bench.camera->activity().encodes == 0; }));
    const std::size_t count = bench.log.count(id);
    const auto pictures = bench.camera->activity().pictures;
    REQUIRE(bench.until([&] { return bench.camera->activity().pictures > pictures + 10; }));
    CHECK(bench.log.count(id) == count);
}

TEST_CASE("two leases share one encode") {
    CameraBench bench(kFaces);
    auto one = bench.camera->open(kVideo);
    auto two = bench.camera->open(kVideo);
    REQUIRE(one);
    REQUIRE(two);
    CHECK((*one)->rendition() == (*two)->rendition());
    REQUIRE(bench.untilChunks((*one)->rendition(), 5));
    one->reset();
    const std::size_t count = bench.log.count((*two)->rendition());
    CHECK(bench.untilChunks((*two)->rendition(), count + 30));
}

TEST_CASE("pictures, chunks and the drawn scene agree on number and time") {
    CameraBench bench(kFaces);
    bench.camera->look(30);
    auto lease = bench.camera->open(kVideo);
    REQUIRE(lease);
    int seen = 0;
    std::vector<Picture> looked;
    REQUIRE(bench.until([&] {
        if (auto picture = bench.pictures.take()) {
            looked.push_back(*picture);
            ++seen;
        }
        return seen == 20;
    }));
    REQUIRE(bench.until([&] {
        const auto chunks = bench.log.of((*lease)->rendition());
        return !chunks.empty() && chunks.back().sequence >= looked.back().sequence;
    }));
    int matched = 0;
    for (const Picture& picture : looked) {
        const std::uint64_t drawn = microsecondsOf(picture.captureTime);
        CHECK(readTimeCode(picture) == std::optional<std::uint64_t>(drawn));
        for (const Chunk& chunk : bench.log.of((*lease)->rendition())) {
            if (chunk.kind != ChunkKind::accessUnit || chunk.sequence != picture.sequence) continue;
            CHECK(chunk.captureTime == picture.captureTime);
            ++matched;
        }
    }
    CHECK(matched >= 15);
}

TEST_CASE("whoever looks gets no more pictures than asked for") {
    CameraBench bench(kFaces);
    bench.camera->look(5);
    std::vector<Utc> times;
    REQUIRE(bench.until([&] {
        if (const auto picture = bench.pictures.take()) times.push_back(picture->captureTime);
        return times.size() == 6;
    }));
    CHECK(times.back() - times.front() >= 900ms);
    bench.camera->look(0);
    const auto pictures = bench.camera->activity().pictures;
    bench.pictures.take();
    REQUIRE(bench.until([&] { return bench.camera->activity().pictures > pictures + 10; }));
    CHECK_FALSE(bench.pictures.take());
}

TEST_CASE("tuning gives a new channel with its init segment, and says what is in force") {
    CameraBench bench(kFaces);
    auto lease = bench.camera->open(kVideo);
    REQUIRE(lease);
    const RenditionId id = (*lease)->rendition();
    REQUIRE(bench.untilChunks(id, 10));
    (*lease)->wish({.encoded = true, .settings = {90'000, {320, 320}, 90}});
    CHECK((*lease)->aim() == EncoderSettings{50'000, {320, 180}, 30});
    REQUIRE(bench.until([&] { return bench.chunks(id, ChunkKind::initSegment).size() == 2; }));
    REQUIRE(bench.untilChunks(id, bench.log.count(id) + 10));
    const auto chunks = bench.log.of(id);
    for (std::size_t i = 1; i < chunks.size(); ++i) {
        if (chunks[i].kind != ChunkKind::accessUnit) {
            CHECK(chunks[i].channel != chunks[i - 1].channel);
        } else if (chunks[i - 1].kind == ChunkKind::initSegment) {
            CHECK(chunks[i].keyFrame);
        } else {
            CHECK(chunks[i].sequence - chunks[i - 1].sequence <= 3);  // no break
        }
    }
    CHECK(chunks.back().format->size == Size{320, 180});
}

TEST_CASE(
    "a wish of one moves it to an encode of its own, without a gap, and changes nothing for the other") {
    CameraBench bench(kFaces);
    auto one = bench.camera->open(kVideo);
    auto other = bench.camera->open(kVideo);
    REQUIRE(one);
    REQUIRE(other);
    const RenditionId shared = (*one)->rendition();
    REQUIRE(bench.untilChunks(shared, 30));
    int moves = 0;
    std::uint32_t joinedAt = 0;
    (*one)->whenMoved([&] {
        ++moves;
        (*one)->join([&](const Backlog& backlog) {
            REQUIRE(backlog.chunks.size() >= 2);
            CHECK(backlog.chunks[1].keyFrame);
            joinedAt = backlog.chunks[1].sequence;
        });
    });
    const StreamWish small{.encoded = true, .settings = {300, {320, 180}, 0}};
    (*one)->wish(small);
    CHECK((*one)->aim() == EncoderSettings{300, {320, 180}, 30});
    CHECK((*one)->rendition() == shared);  // until the other has a picture
    REQUIRE(bench.until([&] { return moves == 1; }));
    const RenditionId own = (*one)->rendition();
    CHECK(own != shared);
    CHECK((*other)->rendition() == shared);
    CHECK((*other)->aim()->bitrateKbps == 2000);
    CHECK(bench.camera->activity().encodes == 2);
    REQUIRE(bench.untilChunks(shared, bench.log.count(shared) + 20));
    // What it had until it moved reaches to the picture that it begins with there, or beyond.
    const auto before = bench.log.of(shared);
    CHECK(std::ranges::any_of(before, [&](const Chunk& chunk) { return chunk.sequence == joinedAt; }));
    CHECK(before.back().format->size == Size{640, 360});

    SUBCASE("and back where the others are") {
        (*one)->wish(kVideo.wish);
        REQUIRE(bench.until([&] { return moves == 2; }));
        CHECK((*one)->rendition() == shared);
        CHECK(bench.until([&] { return bench.camera->activity().encodes == 1; }));
    }
    SUBCASE("a third wish finds no encode left, and changes none") {
        auto third = bench.camera->open({.form = StreamForm::cmaf,
                                         .codecs = {"avc1"},
                                         .wish = {.encoded = true, .settings = {1000, {}, 0}}});
        REQUIRE(third);
        CHECK((*third)->rendition() == own);
        CHECK((*third)->aim()->bitrateKbps == 300);
        CHECK((*one)->rendition() == own);
    }
    SUBCASE("alone, it changes its encode without moving") {
        StreamWish less = small;
        less.settings.bitrateKbps = 200;
        (*one)->wish(less);
        CHECK((*one)->aim()->bitrateKbps == 200);
        CHECK((*one)->rendition() == own);
        CHECK((*other)->aim()->bitrateKbps == 2000);
    }
}

TEST_CASE("joining in the middle: backlog and what follows have no gap and nothing twice") {
    CameraBench bench(kFaces);
    auto lease = bench.camera->open(kVideo);
    REQUIRE(lease);
    const RenditionId id = (*lease)->rendition();
    REQUIRE(bench.untilChunks(id, 25));
    std::vector<Chunk> joined;
    std::size_t before = 0;
    (*lease)->join([&](const Backlog& backlog) {
        joined = backlog.chunks;
        before = bench.log.count(id);  // the log is written under the same lock
    });
    REQUIRE(bench.untilChunks(id, before + 20));
    const auto all = bench.log.of(id);
    joined.insert(joined.end(), all.begin() + static_cast<std::ptrdiff_t>(before), all.end());
    REQUIRE(joined.size() > 20);
    CHECK(joined[0].kind == ChunkKind::initSegment);
    CHECK(joined[1].keyFrame);
    std::size_t at = 0;
    while (all[at].sequence != joined[1].sequence || all[at].kind != ChunkKind::accessUnit) ++at;
    for (std::size_t i = 1; i < joined.size(); ++i, ++at) CHECK(joined[i].payload == all[at].payload);
}

TEST_CASE("JPEG for those who cannot play video, at most ten a second") {
    CameraBench bench(kFaces);
    auto lease = bench.camera->open(kJpeg);
    REQUIRE(lease);
    const RenditionId id = (*lease)->rendition();
    REQUIRE(bench.untilChunks(id, 6));
    const auto chunks = bench.log.of(id);
    CHECK(chunks[5].captureTime - chunks[0].captureTime >= 450ms);
    CHECK(chunks[0].kind == ChunkKind::jpeg);
    CHECK(chunks[0].keyFrame);
    CHECK_FALSE(bench.camera->activity().encodes > 0);
}

TEST_CASE("a snapshot is one full-size JPEG for everybody who asked") {
    CameraBench bench(kFaces);
    std::vector<Result<Chunk>> answers;
    for (int i = 0; i < 2; ++i)
        bench.camera->snapshot([&](Result<Chunk> made) { answers.push_back(std::move(made)); });
    REQUIRE(bench.until([&] { return answers.size() == 2; }));
    REQUIRE(answers[0]);
    REQUIRE(answers[1]);
    CHECK(answers[0]->format->size == Size{640, 360});
    CHECK(answers[0]->sequence > 0);
    CHECK((*answers[0]->payload)[1] == 0xD8);
}

TEST_CASE("a disabled camera closes, its leases wait, and its return is marked as a break") {
    CameraBench bench(kFaces);
    auto lease = bench.camera->open(kVideo);
    REQUIRE(lease);
    const RenditionId id = (*lease)->rendition();
    REQUIRE(bench.untilChunks(id, 10));
    bench.camera->enable(false);
    CHECK(bench.camera->status().state == CameraState::disabled);
    CHECK_FALSE(bench.camera->activity().open);
    const std::size_t count = bench.log.count(id);
    const auto last = bench.log.of(id).back();
    bench.camera->enable(true);
    REQUIRE(bench.untilChunks(id, count + 5));
    const auto chunks = bench.log.of(id);
    const auto first =
        std::find_if(chunks.begin(), chunks.end(), [](const Chunk& chunk) { return chunk.discontinuity; });
    REQUIRE(first != chunks.end());
    CHECK(first->keyFrame);
    CHECK(first->channel == last.channel);
    CHECK(first->sequence > last.sequence);
    CHECK(decodeTimeOf(*first) > decodeTimeOf(last));
}

TEST_CASE("a consumer whose codec cannot be made is refused") {
    CameraBench bench(kFaces);
    CHECK_FALSE(bench.camera->open({.form = StreamForm::cmaf, .codecs = {"hvc1"}}));
    CHECK_FALSE(bench.camera->open({.form = StreamForm::cmaf, .codecs = {"vp09", "av01"}}));
    CHECK(bench.camera->open({.form = StreamForm::cmaf, .codecs = {"hvc1", "avc1.64001f"}}));
}

TEST_CASE("a file and a device that are not there are retried, with the reason, and disturb nobody") {
    CameraBench file("file:///nowhere/clip.mp4");
    CameraBench device("v4l2:///dev/video97");
    CameraBench healthy(kFaces);
    REQUIRE(file.until([&] { return file.camera->status().restarts >= 2; }));
    REQUIRE(device.until([&] { return device.camera->status().restarts >= 2; }));
    CHECK(file.camera->status().state == CameraState::reconnecting);
    CHECK(file.camera->status().reason.find("/nowhere/clip.mp4") != std::string::npos);
    CHECK(device.camera->status().reason.find("/dev/video97") != std::string::npos);
    CHECK(healthy.camera->status().state == CameraState::live);
    CHECK(healthy.camera->status().restarts == 0);
    CHECK(file.camera->open(kVideo));  // a lease that waits
    bool answered = false;
    file.camera->snapshot([&](const Result<Chunk>& made) {
        answered = true;
        CHECK_FALSE(made);
    });
    CHECK(file.until([&] { return answered; }));
}
