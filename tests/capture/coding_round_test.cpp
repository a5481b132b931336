// Encoder and decoder together, without a camera: what goes in comes out, with its number.
#include <doctest/doctest.h>

#include <algorithm>
#include <atomic>
#include <mutex>
#include <string_view>

#include "capture/decoder.hpp"
#include "capture/encoded_rendition.hpp"
#include "capture/synthetic_scene.hpp"
#include "tests/support/camera_bench.hpp"

using namespace edgecam;
using namespace edgecam::capture;
using test::decodeTimeOf;
using namespace std::chrono_literals;

namespace {

constexpr Size kSize{640, 360};

Picture drawn(const SyntheticScene& scene, const PictureStamp& stamp) {
    const std::size_t luma = static_cast<std::size_t>(kSize.width) * kSize.height;
    auto pixels = std::make_shared<ByteBuffer>(luma + luma / 2);
    Canvas canvas{kSize,
                  {pixels->data(), pixels->data() + luma, pixels->data() + luma + luma / 4},
                  {kSize.width, kSize.width / 2, kSize.width / 2}};
    scene.draw(canvas, stamp.sequence, stamp.sequence);
    Picture picture;
    picture.size = kSize;
    for (std::size_t i = 0; i < 3; ++i) picture.planes[i] = {canvas.planes[i], canvas.strides[i]};
    picture.sequence = stamp.sequence;
    picture.captureTime = stamp.captureTime;
    picture.pixels = pixels;
    return picture;
}

/// Scene → encoder → stream, and from there to whoever is attached.
struct Fixture {
    SystemClock clock;
    Timeline timeline{clock};
    SyntheticScene scene{TestPattern::faces, kSize, 30};
    test::ChunkLog log;
    Decoder* decoder = nullptr;
    EncodedRendition rendition{EncoderForm::h264, EncoderSettings{}, clock,
                               [this](const Chunk& chunk, const std::shared_ptr<const Coding>& coding) {
                                   if (decoder) decoder->feed(chunk, coding);
                                   log.add(chunk);
                               }};
    int pushed = 0;

    Fixture() { rendition.settle(true); }
    RenditionId id() { return rendition.stream().id(); }
    [[nodiscard]] std::size_t units() { return log.count(id()) - inits(); }
    std::size_t inits() {
        std::size_t count = 0;
        for (const Chunk& chunk : log.of(id())) count += chunk.kind == ChunkKind::initSegment;
        return count;
    }

    /// Pushes `count` pictures, each when the one before has come out. False when one does not.
    bool play(int count) {
        for (int i = 0; i < count; ++i) {
            SourceTime time;
            time.running = pushed++ * 33'333us;
            const PictureStamp stamp = timeline.stamp(time);
            rendition.encoder().push(drawn(scene, stamp), stamp, 30);
            const auto out = [&] {
                const auto chunks = log.of(id());
                return !chunks.empty() && chunks.back().sequence >= stamp.sequence;
            };
            if (!test::waitUntil(out, 5s)) return false;
        }
        return true;
    }
    std::vector<std::uint32_t> keys() {
        std::vector<std::uint32_t> numbers;
        for (const Chunk& chunk : log.of(id())) {
            if (chunk.kind == ChunkKind::accessUnit && chunk.keyFrame) numbers.push_back(chunk.sequence);
        }
        return numbers;
    }
};

/// x264enc behind a driver that takes a bitrate while it runs and goes on as before.
void setBitrateBeforeStart(GstElement* encoder, int kbps) {
    if (GST_STATE(encoder) == GST_STATE_NULL)
        g_object_set(encoder, "bitrate", static_cast<guint>(kbps), nullptr);
}

struct DeafEncoder {
    SystemClock clock;
    Timeline timeline{clock};
    SyntheticScene scene{TestPattern::noise, kSize, 30};
    std::vector<EncoderKind> kinds{[] {
        EncoderKind kind =
            *std::ranges::find(encoderKinds(), std::string_view("x264enc"), &EncoderKind::element);
        kind.setBitrate = setBitrateBeforeStart;
        return kind;
    }()};
    std::mutex mutex;
    std::vector<std::pair<Microseconds, std::size_t>> coded;  ///< media time, bytes
    Encoder encoder{EncoderForm::h264, EncoderSettings{8000, {}, 0}, clock,
                    [this](const AccessUnit& unit, const auto&, const PictureStamp&) {
                        const std::lock_guard lock(mutex);
                        coded.emplace_back(unit.pts, unit.data.size());
                    },
                    kinds};
    Microseconds running{0};

    /// Each picture when the one before has come out, or is lost in a rebuild.
    void play(int count) {
        for (int i = 0; i < count; ++i) {
            encoder.run(true);
            SourceTime time;
            time.running = running;
            running += 33'333us;
            const PictureStamp stamp = timeline.stamp(time);
            const auto failures = encoder.failures();
            encoder.push(drawn(scene, stamp), stamp, 30);
            test::waitUntil(
                [&] {
                    encoder.run(true);
                    const std::lock_guard lock(mutex);
                    return encoder.failures() != failures ||
                           (!coded.empty() && coded.back().first >= stamp.mediaTime);
                },
                5s);
        }
    }
    int kbpsOfLast(Microseconds span) {
        std::size_t bytes = 0;
        for (const auto& [time, size] : coded) bytes += time > coded.back().first - span ? size : 0;
        return static_cast<int>(static_cast<std::int64_t>(bytes) * 8000 / span.count());
    }
};

}  // namespace

TEST_CASE_FIXTURE(Fixture, "key frames come every two seconds of media time") {
    REQUIRE(play(130));
    CHECK(keys() == std::vector<std::uint32_t>{1, 61, 121});
    CHECK(inits() == 1);
    CHECK(log.of(id())[0].format->codecString.starts_with("avc1."));
    CHECK(log.of(id())[0].format->size == kSize);
}

TEST_CASE_FIXTURE(Fixture,
                  "a key frame on demand comes with the next picture, but not twice within a second") {
    REQUIRE(play(40));
    rendition.encoder().requestKeyFrame();
    REQUIRE(play(2));
    CHECK(keys() == std::vector<std::uint32_t>{1, 41});
    rendition.encoder().requestKeyFrame();
    REQUIRE(play(40));
    const auto numbers = keys();
    REQUIRE(numbers.size() == 3);
    CHECK(numbers[2] >= 71);
    CHECK(numbers[2] <= 73);
}

TEST_CASE_FIXTURE(Fixture, "chunks carry the number, the capture time and the media time of their picture") {
    REQUIRE(play(50));
    for (const Chunk& chunk : log.of(id())) {
        const auto stamp = timeline.find(chunk.sequence);
        REQUIRE(stamp);
        CHECK(chunk.captureTime == stamp->captureTime);
        if (chunk.kind == ChunkKind::accessUnit) {
            CHECK(decodeTimeOf(chunk) == static_cast<std::uint64_t>(stamp->mediaTime.count()));
        }
    }
}

TEST_CASE_FIXTURE(Fixture, "bitrate, size and rate change while running, without a break") {
    REQUIRE(play(30));
    EncoderSettings settings;
    settings.bitrateKbps = 500;
    rendition.encoder().tune(settings);
    REQUIRE(play(15));
    CHECK(inits() == 1);

    settings.size = {320, 0};
    rendition.encoder().tune(settings);
    REQUIRE(play(15));
    auto chunks = log.of(id());
    CHECK(chunks.back().format->size == Size{320, 180});
    CHECK(chunks.back().channel != chunks.front().channel);
    CHECK(inits() == 2);
    CHECK(units() == 60);  // none is missing

    settings.frameRate = 10;
    rendition.encoder().tune(settings);
    const std::size_t before = units();
    for (int i = 0; i < 30; ++i) {
        SourceTime time;
        time.running = pushed++ * 33'333us;
        const PictureStamp stamp = timeline.stamp(time);
        rendition.encoder().push(drawn(scene, stamp), stamp, 30);
        test::waitUntil([&] { return units() > before + static_cast<std::size_t>(i) / 3; }, 5s);
    }
    CHECK(units() - before == 10);
    std::uint64_t last = 0;
    for (const Chunk& chunk : log.of(id())) {
        if (chunk.kind != ChunkKind::accessUnit) continue;
        CHECK(decodeTimeOf(chunk) > last);
        last = decodeTimeOf(chunk);
    }
}

TEST_CASE_FIXTURE(Fixture, "the bitrate is followed") {
    const auto bytesOf = [&](int kbps) {
        EncoderSettings settings;
        settings.bitrateKbps = kbps;
        rendition.encoder().tune(settings);
        REQUIRE(play(30));  // until it has settled
        const std::size_t from = log.count(id());
        REQUIRE(play(30));
        const auto chunks = log.of(id());
        std::size_t bytes = 0;
        for (std::size_t i = from; i < chunks.size(); ++i) bytes += chunks[i].payload->size();
        return bytes;
    };
    const std::size_t thin = bytesOf(150);
    const std::size_t thick = bytesOf(1500);
    MESSAGE("one second at 150 and 1500 kbit/s: ", thin * 8 / 1000, " and ", thick * 8 / 1000, " kbit");
    CHECK(thick > thin * 2);
}

TEST_CASE_FIXTURE(Fixture, "an encode is 4:2:0, Main profile at most, without B-frames") {
    REQUIRE(play(5));
    const std::string codec = log.of(id())[0].format->codecString;
    CHECK_MESSAGE((codec.starts_with("avc1.42") || codec.starts_with("avc1.4d")), codec);
}

TEST_CASE_FIXTURE(Fixture, "decoded pictures carry the number that is drawn in them") {
    std::mutex mutex;
    std::vector<Picture> pictures;
    Decoder made(rendition.stream(), timeline, clock, [&](const Picture& picture, const PictureStamp&) {
        const std::lock_guard lock(mutex);
        pictures.push_back(picture);
    });
    REQUIRE(play(20));
    const std::uint32_t newest = log.of(id()).back().sequence;
    made.run(Decoding::all);
    decoder = &made;
    const auto count = [&] {
        const std::lock_guard lock(mutex);
        return pictures.size();
    };
    // Warmed up by the group so far: one picture comes without any new one.
    REQUIRE(test::waitUntil([&] { return count() == 1; }, 5s));
    CHECK(pictures[0].sequence == newest);
    REQUIRE(play(20));
    REQUIRE(test::waitUntil([&] { return count() == 21; }, 5s));
    decoder = nullptr;
    made.run(Decoding::none);
    for (const Picture& picture : pictures) {
        CHECK(readTimeCode(picture) == std::optional<std::uint64_t>(picture.sequence));
        CHECK(picture.captureTime == timeline.find(picture.sequence)->captureTime);
    }
    CHECK(made.failures() == 0);
}

TEST_CASE_FIXTURE(Fixture, "nothing runs and nothing comes when nobody holds it") {
    REQUIRE(play(3));
    CHECK(rendition.encoder().running());
    test::waitUntil(
        [&] {
            rendition.settle(false);
            return !rendition.encoder().running();
        },
        5s);
    CHECK_FALSE(rendition.encoder().running());
    const std::size_t before = log.count(id());
    const auto stamp = timeline.stamp({});
    rendition.encoder().push(drawn(scene, stamp), stamp, 30);
    CHECK(log.count(id()) == before);

    rendition.settle(true);
    REQUIRE(play(2));
    const auto chunks = log.of(id());
    CHECK(chunks[before].keyFrame);
    CHECK(chunks[before].channel == chunks[0].channel);  // the same format: the same channel
}

TEST_CASE("JPEG renditions are pictures by themselves") {
    SystemClock clock;
    Timeline timeline(clock);
    const SyntheticScene scene(TestPattern::bars, kSize, 30);
    test::ChunkLog log;
    EncodedRendition rendition(EncoderForm::jpeg, EncoderSettings{2000, {320, 0}, 10}, clock,
                               [&](const Chunk& chunk, const auto&) { log.add(chunk); });
    rendition.settle(true);
    const PictureStamp stamp = timeline.stamp({});
    rendition.encoder().push(drawn(scene, stamp), stamp, 30);
    REQUIRE(test::waitUntil([&] { return log.count(rendition.stream().id()) == 1; }, 5s));
    const Chunk chunk = log.of(rendition.stream().id())[0];
    CHECK(chunk.kind == ChunkKind::jpeg);
    CHECK(chunk.format->size == Size{320, 180});
    CHECK((*chunk.payload)[0] == 0xFF);
    CHECK((*chunk.payload)[1] == 0xD8);
}

TEST_CASE("sizes are fitted: even, in proportion, never up") {
    CHECK(fittedSize({1280, 720}, {}) == Size{1280, 720});
    CHECK(fittedSize({1280, 720}, {640, 640}) == Size{640, 360});
    CHECK(fittedSize({1280, 720}, {1920, 1080}) == Size{1280, 720});
    CHECK(fittedSize({1280, 720}, {427, 0}) == Size{426, 240});
    CHECK(fittedSize({720, 1280}, {640, 360}) == Size{202, 360});
}

TEST_CASE("the list of encoders names at most one as chosen and says why others are not usable") {
    int chosen = 0;
    for (const EncoderChoice& choice : availableEncoders()) {
        chosen += choice.chosen;
        CHECK(choice.usable == choice.reason.empty());
        CHECK((choice.usable || !choice.chosen));
    }
    CHECK(chosen == 1);
}

TEST_CASE_FIXTURE(DeafEncoder, "an encoder that does not follow its bitrate while it runs is built anew") {
    play(90);
    REQUIRE(kbpsOfLast(2s) > 6000);
    encoder.tune(EncoderSettings{2500, {}, 0});
    play(28);
    CHECK(kbpsOfLast(500ms) > 6000);  // deaf
    CHECK(encoder.failures() == 0);
    play(45);
    CHECK(encoder.failures() == 1);
    play(60);
    CHECK(kbpsOfLast(2s) < 3500);
    CHECK(encoder.failures() == 1);
}
