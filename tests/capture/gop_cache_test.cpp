#include "capture/gop_cache.hpp"

#include <doctest/doctest.h>

using namespace edgecam;
using namespace edgecam::capture;
using namespace std::chrono_literals;

namespace {

Chunk chunkAt(Microseconds time, ChunkKind kind, bool keyFrame, std::size_t bytes = 100) {
    Chunk chunk;
    chunk.kind = kind;
    chunk.keyFrame = keyFrame;
    chunk.captureTime = Utc(time);
    chunk.sequence = static_cast<std::uint32_t>(time.count() / 1000);
    chunk.payload = share(ByteBuffer(bytes));
    return chunk;
}

Chunk init() {
    return chunkAt(0us, ChunkKind::initSegment, false);
}

Chunk key(Microseconds time, std::size_t bytes = 100) {
    return chunkAt(time, ChunkKind::accessUnit, true, bytes);
}

Chunk delta(Microseconds time, std::size_t bytes = 100) {
    return chunkAt(time, ChunkKind::accessUnit, false, bytes);
}

/// Capture times of the backlog's pictures in ms, an init segment as -1.
std::vector<std::int64_t> contents(const GopCache& cache) {
    std::vector<std::int64_t> times;
    for (const Chunk& chunk : cache.backlog().chunks) {
        const bool isInit = chunk.kind == ChunkKind::initSegment;
        times.push_back(isInit ? -1 : chunk.captureTime.time_since_epoch() / 1ms);
    }
    return times;
}

using Times = std::vector<std::int64_t>;

}  // namespace

TEST_CASE("A new viewer gets the init segment and everything since the last key frame") {
    GopCache cache{{}};
    CHECK(contents(cache).empty());
    CHECK_FALSE(cache.backlog().liveFrom);
    for (const Chunk& chunk : {init(), key(10ms), delta(20ms), key(30ms), delta(40ms), delta(50ms)})
        cache.add(chunk);
    CHECK(contents(cache) == Times{-1, 30, 40, 50});
    CHECK(cache.backlog().liveFrom == Utc(50ms));
}

TEST_CASE("What comes before the first key frame is not kept") {
    GopCache cache{{}};
    cache.add(delta(5ms));
    cache.add(init());
    cache.add(delta(10ms));
    CHECK(contents(cache) == Times{-1});
    CHECK_FALSE(cache.backlog().liveFrom);
}

TEST_CASE("A new init segment begins anew") {
    GopCache cache{{}};
    for (const Chunk& chunk : {init(), key(10ms), delta(20ms), init(), delta(30ms)}) cache.add(chunk);
    CHECK(contents(cache) == Times{-1});
}

TEST_CASE("A group that outgrows its bytes is given up until the next key frame") {
    GopCache cache{{1000, 10s}};
    for (const Chunk& chunk : {init(), key(10ms, 600), delta(20ms, 400)}) cache.add(chunk);
    CHECK(contents(cache) == Times{-1, 10, 20});
    CHECK_FALSE(cache.overflowed());
    cache.add(delta(30ms, 1));
    cache.add(delta(40ms, 1));
    CHECK(contents(cache) == Times{-1});
    CHECK(cache.overflowed());
    cache.add(key(50ms));
    CHECK(contents(cache) == Times{-1, 50});
    CHECK_FALSE(cache.overflowed());
}

TEST_CASE("A group that outgrows its time is given up until the next key frame") {
    GopCache cache{{1000000, 2s}};
    for (const Chunk& chunk : {init(), key(0ms), delta(2000ms)}) cache.add(chunk);
    CHECK(contents(cache) == Times{-1, 0, 2000});
    cache.add(delta(2033ms));
    CHECK(contents(cache) == Times{-1});
    CHECK(cache.overflowed());
}

TEST_CASE("A key frame larger than the limit is not kept either") {
    GopCache cache{{1000, 2s}};
    cache.add(init());
    cache.add(key(10ms, 1001));
    CHECK(contents(cache) == Times{-1});
    CHECK(cache.overflowed());
}

TEST_CASE("After a break nothing is kept until a key frame") {
    GopCache cache{{}};
    for (const Chunk& chunk : {init(), key(10ms), delta(20ms)}) cache.add(chunk);
    Chunk broken = delta(500ms);
    broken.discontinuity = true;
    cache.add(broken);
    cache.add(delta(533ms));
    CHECK(contents(cache) == Times{-1});
    Chunk whole = key(566ms);
    whole.discontinuity = true;
    cache.add(whole);
    CHECK(contents(cache) == Times{-1, 566});
}

TEST_CASE("Of JPEGs only the newest is kept") {
    GopCache cache{{}};
    cache.add(chunkAt(10ms, ChunkKind::jpeg, true));
    cache.add(chunkAt(20ms, ChunkKind::jpeg, true));
    CHECK(contents(cache) == Times{20});
}

TEST_CASE("The cache shares its payloads and lets them go") {
    GopCache cache{{}};
    cache.add(init());
    const Chunk picture = key(10ms);
    cache.add(picture);
    CHECK(picture.payload.use_count() == 2);
    cache.clear();
    CHECK(picture.payload.use_count() == 1);
    CHECK(contents(cache).empty());
}

TEST_CASE("groups are kept to their end again once one was") {
    GopCache cache{{.bytes = 1 << 20, .span = 1s}};
    cache.add(init());
    cache.add(key(0ms));
    cache.add(delta(900ms));
    CHECK(cache.keepsGroups());
    cache.add(delta(1100ms));
    CHECK_FALSE(cache.keepsGroups());
    cache.add(key(1200ms));
    cache.add(delta(1300ms));
    CHECK_FALSE(cache.keepsGroups());
    cache.add(key(1400ms));
    CHECK(cache.keepsGroups());
}
