#include "capture/chunk_stream.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <iterator>

#include "capture/parameter_sets.hpp"
#include "tests/support/camera_bench.hpp"
#include "tests/support/fake_clock.hpp"

using namespace edgecam;
using namespace edgecam::capture;
using test::decodeTimeOf;
using namespace std::chrono_literals;

namespace {

/// A plausible avcC; `level` makes formats differ.
std::shared_ptr<const Coding> coding(std::uint8_t level = 31, double frameRate = 30) {
    Coding made;
    made.track.codecData = {1,    0x4D, 0x40,  level, 0xFF, 0xE1, 0,    4,   0x67,
                            0x4D, 0x40, level, 1,     0,    2,    0x68, 0xEE};
    made.track.size = {640, 360};
    made.frameRate = frameRate;
    return std::make_shared<const Coding>(made);
}

struct Fixture {
    test::FakeClock clock;
    std::vector<Chunk> emitted;
    ChunkStream stream{RenditionKind::passthrough, clock,
                       [this](const Chunk& chunk, const auto&) { emitted.push_back(chunk); }};
    std::uint32_t number = 0;
    ByteBuffer bytes = ByteBuffer(6, 0x65);

    void push(bool key, const std::shared_ptr<const Coding>& format, Microseconds shift = 0us) {
        PictureStamp stamp;
        stamp.sequence = ++number;
        stamp.mediaTime = number * 33'333us + shift;
        stamp.captureTime = Utc(1'700'000'000s + stamp.mediaTime);
        stamp.capturedAt = clock.monotonic() - 12ms;
        AccessUnit unit;
        unit.data = bytes;
        unit.pts = stamp.mediaTime;
        unit.keyFrame = key;
        stream.push(unit, format, stamp);
    }
    Backlog backlog() {
        Backlog seen;
        stream.join([&](const Backlog& given, const auto&) { seen = given; });
        return seen;
    }
};

}  // namespace

TEST_CASE_FIXTURE(Fixture,
                  "a stream begins with an init segment and a key frame, what came before is dropped") {
    const auto format = coding();
    push(false, format);
    CHECK(emitted.empty());
    push(true, format);
    push(false, format);
    REQUIRE(emitted.size() == 3);
    CHECK(emitted[0].kind == ChunkKind::initSegment);
    CHECK(emitted[1].keyFrame);
    CHECK(emitted[1].sequence == 2);
    CHECK_FALSE(emitted[1].discontinuity);
    CHECK_FALSE(emitted[2].keyFrame);
    CHECK(emitted[1].channel == emitted[0].channel);
    CHECK(emitted[0].format->codecString == "avc1.4d401f");
    CHECK(emitted[0].format->kind == RenditionKind::passthrough);
}

TEST_CASE_FIXTURE(Fixture, "a new format is a new channel, and waits for its key frame") {
    push(true, coding());
    const auto other = coding(40);
    push(false, other);
    CHECK(emitted.size() == 2);
    push(true, other);
    REQUIRE(emitted.size() == 4);
    CHECK(emitted[2].kind == ChunkKind::initSegment);
    CHECK(emitted[2].channel != emitted[1].channel);
    CHECK(decodeTimeOf(emitted[3]) > decodeTimeOf(emitted[1]));
}

TEST_CASE_FIXTURE(Fixture, "another frame rate alone is told by later chunks, and the channel goes on") {
    push(true, coding());
    push(false, coding(31, 15));
    push(false, coding(31, 15));
    REQUIRE(emitted.size() == 4);
    CHECK(emitted[2].kind == ChunkKind::accessUnit);
    CHECK(emitted[2].channel == emitted[1].channel);
    CHECK(emitted[1].format->frameRate == 30);
    CHECK(emitted[2].format->frameRate == 15);
    CHECK(emitted[3].format == emitted[2].format);
    CHECK(stream.format()->frameRate == 15);
}

TEST_CASE_FIXTURE(Fixture,
                  "a break keeps the channel of an equal format, and the first key frame tells of it") {
    push(true, coding());
    stream.breakOff();
    push(false, coding());
    push(true, coding());
    push(false, coding());
    REQUIRE(emitted.size() == 4);
    CHECK(emitted[2].kind == ChunkKind::accessUnit);
    CHECK(emitted[2].channel == emitted[1].channel);
    CHECK(emitted[2].discontinuity);
    CHECK_FALSE(emitted[3].discontinuity);
}

TEST_CASE_FIXTURE(Fixture,
                  "what became a chunk is timed from its capture on, and the chunk says when it was made") {
    push(false, coding());
    CHECK(stream.delays() == PictureDelays{});
    push(true, coding());
    clock.jumpWallClock(24h);
    push(false, coding());
    CHECK(stream.delays().coded.count() == 2);
    CHECK(stream.delays().coded.sum == 24ms);
    CHECK(stream.delays().muxed.count() == 2);
    CHECK_FALSE(emitted[0].madeAt);
    CHECK(emitted[1].madeAt == clock.monotonic());
}

TEST_CASE_FIXTURE(Fixture, "joining replays the init segment and the current group") {
    const auto format = coding();
    CHECK(backlog().chunks.empty());
    for (int i = 0; i < 3; ++i) push(i == 0, format);
    push(true, format);
    push(false, format);
    const Backlog seen = backlog();
    REQUIRE(seen.chunks.size() == 3);
    CHECK(seen.chunks[0].kind == ChunkKind::initSegment);
    CHECK(seen.chunks[1].sequence == 4);
    CHECK(seen.chunks[2].sequence == 5);
    CHECK(seen.liveFrom == seen.chunks[2].captureTime);
}

TEST_CASE_FIXTURE(Fixture,
                  "whoever joins during a break gets the init segment, and the key frame when it is over") {
    push(true, coding());
    stream.breakOff();
    const Backlog seen = backlog();
    REQUIRE(seen.chunks.size() == 1);
    CHECK(seen.chunks[0].kind == ChunkKind::initSegment);
}

TEST_CASE_FIXTURE(Fixture, "a JPEG stream has no init segment and only key frames") {
    Coding jpeg;
    jpeg.track.codec = Codec::jpeg;
    jpeg.track.size = {640, 360};
    const auto format = std::make_shared<const Coding>(jpeg);
    push(true, format);
    push(true, format);
    REQUIRE(emitted.size() == 2);
    CHECK(emitted[0].kind == ChunkKind::jpeg);
    CHECK(*emitted[0].payload == bytes);
    CHECK(emitted[0].format->mime == "image/jpeg");
}

TEST_CASE("channels and renditions are the process's own and not used twice") {
    Fixture one;
    Fixture other;
    one.push(true, coding());
    other.push(true, coding());
    CHECK(one.stream.id() != other.stream.id());
    CHECK(one.emitted[0].channel != other.emitted[0].channel);
    CHECK(one.emitted[0].channel > 0);
    CHECK(one.emitted[0].channel < 0x8000);
}

namespace {

/// What x264enc writes for 160x96 in the main profile, but that it declares `depth`.
std::shared_ptr<const Coding> declaring(int depth) {
    const ByteBuffer truth{0x01, 0x4d, 0x40, 0x15, 0xff, 0xe1, 0x00, 0x1b, 0x67, 0x4d, 0x40,
                           0x15, 0xd9, 0x02, 0x8d, 0xb0, 0x16, 0xa0, 0xc0, 0xc0, 0xd4, 0xa0,
                           0x00, 0x00, 0x03, 0x00, 0x20, 0x00, 0x00, 0x03, 0x03, 0xd1, 0xe2,
                           0xc5, 0xc9, 0x01, 0x00, 0x04, 0x68, 0xeb, 0xcc, 0xb2};
    Coding made = *coding();
    const auto record = avcWithReorderDepth(truth, depth);
    REQUIRE(record);
    made.track.codecData = *record;
    REQUIRE(reorderDepth(made.track) == depth);
    return std::make_shared<const Coding>(made);
}

struct Declared : Fixture {
    /// Ten pictures a group.
    void play(int pictures, const std::shared_ptr<const Coding>& format) {
        for (; pictures > 0; --pictures) push(number % 10 == 0, format);
    }
    std::vector<Chunk> inits() {
        std::vector<Chunk> all;
        std::ranges::copy_if(emitted, std::back_inserter(all),
                             [](const Chunk& chunk) { return chunk.kind == ChunkKind::initSegment; });
        return all;
    }
};

bool holds(const Chunk& init, const std::shared_ptr<const Coding>& format) {
    const ByteBuffer& record = format->track.codecData;
    const ByteBuffer& bytes = *init.payload;
    return std::search(bytes.begin(), bytes.end(), record.begin(), record.end()) != bytes.end();
}

}  // namespace

TEST_CASE_FIXTURE(Declared, "a reordering that is declared and not done is left out, from a key frame on") {
    const auto lie = declaring(1);
    play(200, lie);
    const auto seen = inits();
    REQUIRE(seen.size() == 2);
    CHECK(holds(seen[0], lie));
    CHECK(holds(seen[1], declaring(0)));
    CHECK(seen[1].channel != seen[0].channel);
    CHECK(emitted.size() == 202);  // no picture is missing
    const auto next = std::ranges::find(emitted, seen[1].channel, &Chunk::channel) + 1;
    CHECK(next->keyFrame);
    CHECK_FALSE(next->discontinuity);

    stream.breakOff();  // what was found out holds over it
    number += 9 - number % 10;
    ++number;
    play(20, lie);
    CHECK(inits().size() == 2);
}

TEST_CASE_FIXTURE(Declared, "a camera that reorders is believed, also one that begins late") {
    const auto truth = declaring(1);
    play(15, truth);
    push(false, truth, -50ms);
    play(200, truth);
    CHECK(inits().size() == 1);
}

TEST_CASE_FIXTURE(Declared, "one that begins to reorder later is believed from the next key frame on") {
    const auto truth = declaring(1);
    play(105, truth);
    REQUIRE(inits().size() == 2);
    const std::size_t before = emitted.size();
    push(false, truth, -50ms);
    play(4, truth);
    CHECK(emitted.size() == before);  // decoders would show them in the wrong order
    play(100, truth);
    REQUIRE(inits().size() == 3);
    CHECK(holds(inits()[2], truth));
}

TEST_CASE_FIXTURE(Declared, "what an encoder of ours declares is true") {
    ChunkStream own(RenditionKind::encoded, clock,
                    [this](const Chunk& chunk, const auto&) { emitted.push_back(chunk); });
    for (int i = 0; i < 200; ++i) {
        PictureStamp stamp;
        stamp.sequence = static_cast<std::uint32_t>(i);
        stamp.mediaTime = i * 33'333us;
        AccessUnit unit;
        unit.data = bytes;
        unit.pts = stamp.mediaTime;
        unit.keyFrame = i % 10 == 0;
        own.push(unit, declaring(1), stamp);
    }
    CHECK(inits().size() == 1);
}
