#include "uplink/lane_queue.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <map>
#include <random>
#include <string>

#include "tests/support/fake_clock.hpp"
#include "tests/uplink/session_bench.hpp"
#include "uplink/frame_header.hpp"

using namespace std::chrono_literals;
using namespace edgecam;
using namespace edgecam::uplink;
using namespace edgecam::uplink::test;

namespace {

constexpr std::size_t kPart = 40;

struct Bench {
    explicit Bench(LaneLimits limits = {}) : lanes(limits) {}

    bool video(const Chunk& chunk) {
        return lanes.pushVideo(chunk, cutIntoParts(chunk, kPart), clock.monotonic());
    }
    bool text(Lane lane, const std::string& word) {
        return lanes.push(lane, WireMessage::text(word), clock.monotonic());
    }
    std::vector<DropNotice> cut() { return lanes.cut(clock.monotonic()); }
    /// A text as it is, an init segment as "i", a key frame as "k100", a delta as "d101", a part but the last
    /// with "…".
    std::string next() {
        const auto message = lanes.pop();
        if (!message) return "";
        if (!message->isBinary()) return {reinterpret_cast<const char*>(message->payload()), message->size()};
        const auto frame = parseFrame(message->bytes());
        const bool last = frame->header.partOffset + frame->part.size() == frame->header.payloadLength;
        if (frame->header.kind == ChunkKind::initSegment) return last ? "i" : "i…";
        return ((frame->header.flags & FrameHeader::kKeyFrame) != 0 ? "k" : "d") +
               std::to_string(frame->header.sequence) + (last ? "" : "…");
    }
    std::string all() {
        std::string words;
        for (std::string word = next(); !word.empty(); word = next())
            words += (words.empty() ? "" : " ") + word;
        return words;
    }

    edgecam::test::FakeClock clock;
    LaneQueue lanes;
};

Chunk init() {
    return chunkOf(ChunkKind::initSegment, 5, 1, 0, 30);
}
Chunk key(std::uint32_t sequence, std::size_t bytes = 30) {
    return keyOf(5, 1, sequence, bytes);
}
Chunk delta(std::uint32_t sequence, std::size_t bytes = 30) {
    return deltaOf(5, 1, sequence, bytes);
}

}  // namespace

TEST_CASE("lanes are served in strict order") {
    Bench bench;
    bench.text(Lane::bulk, "bulk, the last");
    bench.text(Lane::lossy, "lossy");
    bench.video(key(1));
    bench.text(Lane::events, "event");
    bench.text(Lane::answers, "answer");
    bench.text(Lane::answers, "answer2");
    CHECK(bench.all() == "answer answer2 event k1 lossy bulk, the last");
    CHECK(bench.lanes.empty());
    CHECK(bench.lanes.bytes(Lane::video) == 0);
}

TEST_CASE("lanes below the urgent ones can be held back") {
    Bench bench;
    for (const Lane lane : {Lane::bulk, Lane::lossy, Lane::replay}) bench.text(lane, "later");
    bench.video(key(1));
    bench.text(Lane::events, "event");
    CHECK_FALSE(bench.lanes.empty(kLastUrgentLane));
    REQUIRE(bench.lanes.pop(kLastUrgentLane));
    CHECK(bench.lanes.empty(kLastUrgentLane));
    CHECK_FALSE(bench.lanes.pop(kLastUrgentLane));
    CHECK(bench.all() == "k1 later later later");
}

TEST_CASE("replay has half the bytes while video waits, and all when none does") {
    Bench bench;
    const std::string event(100, 'e');
    for (int i = 0; i < 8; ++i) bench.text(Lane::replay, event);
    for (std::uint32_t picture = 1; picture <= 4; ++picture) bench.video(key(picture, 200 - 2 * 72));
    // Pictures of 56 bytes go in two parts, 72 and 48 bytes with their headers.
    const auto words = [&](int count) {
        std::string said;
        for (; count > 0; --count) said += bench.next().front();
        return said;
    };
    CHECK(words(14) == "kkekkekekkekee");
    CHECK(bench.all() == event + " " + event);
}

TEST_CASE("bulk has a sixteenth of the bytes while others wait, and more only when none does") {
    Bench bench;
    for (int i = 0; i < 40; ++i) bench.text(Lane::bulk, std::string(100, 'b'));
    std::size_t bulk = 0;
    std::size_t others = 0;
    for (std::uint32_t picture = 1; picture <= 300; ++picture) {
        bench.text(Lane::lossy, std::string(50, 'l'));
        bench.video(key(picture, 18));
        for (int i = 0; i < 2; ++i) {
            const auto message = bench.lanes.pop();
            REQUIRE(message);
            (message->payload()[0] == 'b' ? bulk : others) += message->size();
        }
    }
    CHECK(bulk * (LaneQueue::kBulkShare - 1) <= others);
    CHECK((bulk + 100) * (LaneQueue::kBulkShare - 1) > others);
    while (!bench.lanes.empty(Lane::lossy)) bench.next();
    CHECK(bench.next().front() == 'b');
}

TEST_CASE("what was held back while urgent lanes went on has saved up no more than a part") {
    Bench bench;
    for (int i = 0; i < 3; ++i) bench.text(Lane::bulk, std::string(10, 'b'));
    for (int i = 0; i < 100; ++i) bench.text(Lane::answers, std::string(100, 'a'));
    while (bench.lanes.pop(kLastUrgentLane)) {
    }
    bench.video(key(1));
    bench.video(key(2));
    CHECK(bench.all() == "bbbbbbbbbb k1 k2 bbbbbbbbbb bbbbbbbbbb");
}

TEST_CASE("every lane tells its depth, its bytes, the age of its oldest and what it lost") {
    LaneLimits limits;
    limits.replayBytes = 10;
    Bench bench(limits);
    bench.text(Lane::replay, "eight ch");
    bench.clock.advance(300ms);
    CHECK_FALSE(bench.text(Lane::replay, "more"));  // the journal has it
    CHECK(bench.text(Lane::replay, "ab"));
    bench.clock.advance(200ms);
    const LaneUse use = bench.lanes.use(Lane::replay, bench.clock.monotonic());
    CHECK(use.depth == 2);
    CHECK(use.bytes == 10);
    CHECK(use.age == 500ms);
    CHECK(use.dropped == 1);
    CHECK(bench.next() == "eight ch");
    CHECK(bench.lanes.use(Lane::replay, bench.clock.monotonic()).age == 200ms);
    CHECK(bench.lanes.use(Lane::video, bench.clock.monotonic()).age == 0ms);
}

TEST_CASE("an urgent message goes between the parts of an access unit, other video does not") {
    Bench bench;
    bench.video(key(1, 100));
    bench.video(keyOf(6, 2, 9));
    CHECK(bench.next() == "k1…");
    bench.text(Lane::answers, "answer");
    bench.text(Lane::lossy, "lossy");
    CHECK(bench.all() == "answer k1… k1 k9… k9… k9 lossy");
}

TEST_CASE("video that does not wait too long is left alone") {
    Bench bench;
    for (const Chunk& chunk : {init(), key(1), delta(2), delta(3)}) bench.video(chunk);
    bench.clock.advance(500ms);
    CHECK(bench.cut().empty());
    CHECK(bench.all() == "i k1 d2 d3");
}

TEST_CASE("what waits before the newest key frame is cut when it waits too long") {
    Bench bench;
    for (const Chunk& chunk : {init(), key(1), delta(2)}) bench.video(chunk);
    CHECK(bench.next() == "i");
    bench.clock.advance(450ms);
    for (const Chunk& chunk : {key(3), delta(4)}) bench.video(chunk);
    bench.clock.advance(51ms);
    const auto notices = bench.cut();
    REQUIRE(notices.size() == 1);
    CHECK(notices[0].channel == 1);
    CHECK(notices[0].fromSequence == 1);
    CHECK(notices[0].toSequence == 2);
    CHECK(notices[0].frames == 2);
    CHECK(notices[0].bytes == 2 * (30 + FrameHeader::kSize));
    CHECK_FALSE(bench.lanes.awaitsKeyFrame(5));
    CHECK(bench.all() == "k3 d4");
}

TEST_CASE("what waits behind a newest key frame that is too old is cut, the key frame is not") {
    Bench bench;
    for (const Chunk& chunk : {init(), key(1), delta(2), delta(3)}) bench.video(chunk);
    bench.clock.advance(501ms);
    CHECK(bench.cut().at(0).frames == 2);
    CHECK(bench.lanes.awaitsKeyFrame(5));
    CHECK(bench.video(delta(4)));
    const auto notices = bench.cut();
    REQUIRE(notices.size() == 1);
    CHECK(notices[0].fromSequence == 4);
    CHECK(bench.video(key(5)));
    CHECK_FALSE(bench.lanes.awaitsKeyFrame(5));
    bench.video(delta(6));
    bench.cut();
    CHECK(bench.all() == "i k5 d6");
}

TEST_CASE("all video may be given up at once, but for what was begun and init segments") {
    Bench bench;
    for (const Chunk& chunk : {init(), key(1, 100), delta(2), key(3), delta(4)}) bench.video(chunk);
    bench.text(Lane::events, "event");
    CHECK(bench.next() == "event");
    CHECK(bench.next() == "i");
    CHECK(bench.next() == "k1…");
    bench.lanes.skipVideo();
    CHECK(bench.lanes.awaitsKeyFrame(5));
    const auto notices = bench.cut();
    REQUIRE(notices.size() == 1);
    CHECK(notices[0].fromSequence == 2);
    CHECK(notices[0].toSequence == 4);
    CHECK(notices[0].frames == 3);
    bench.video(delta(5));
    bench.video(key(6));
    CHECK(bench.all().ends_with("k1 k6"));
}

TEST_CASE("deltas whose key frame is gone already are cut up to the next one") {
    Bench bench;
    bench.video(key(1));
    CHECK(bench.next() == "k1");
    bench.video(delta(2));
    bench.clock.advance(501ms);
    CHECK(bench.cut().size() == 1);
    CHECK(bench.lanes.awaitsKeyFrame(5));
    bench.video(delta(3));
    CHECK(bench.all().empty());
}

TEST_CASE("an access unit once begun is finished") {
    Bench bench;
    bench.video(key(1));
    bench.video(delta(2, 100));
    CHECK(bench.next() == "k1");
    CHECK(bench.next() == "d2…");
    bench.video(delta(3));
    bench.clock.advance(501ms);
    CHECK(bench.cut().at(0).fromSequence == 3);
    CHECK(bench.all() == "d2… d2");
}

TEST_CASE("a cut of one rendition leaves the others alone") {
    Bench bench;
    bench.video(key(1));
    bench.clock.advance(400ms);
    bench.video(delta(2));
    bench.video(keyOf(6, 2, 70, 30));
    bench.video(deltaOf(6, 2, 71, 30));
    bench.clock.advance(101ms);
    CHECK(bench.cut().size() == 1);
    CHECK(bench.all() == "k1 k70 d71");
}

TEST_CASE("a stream begins with a key frame, and nothing is missed before") {
    Bench bench;
    bench.video(init());
    bench.video(delta(1));
    CHECK(bench.cut().empty());
    bench.video(key(2));
    CHECK(bench.all() == "i k2");
}

TEST_CASE("a rendition that is dropped begins anew, but finishes what is half sent") {
    Bench bench;
    for (const Chunk& chunk : {init(), key(1, 100), delta(2)}) bench.video(chunk);
    bench.video(keyOf(6, 2, 70, 30));
    CHECK(bench.next() == "i");
    CHECK(bench.next() == "k1…");
    bench.lanes.dropRendition(5);
    bench.video(delta(3));
    CHECK(bench.cut().empty());
    CHECK(bench.all() == "k1… k1 k70");
    CHECK(bench.lanes.bytes(Lane::video) == 0);
}

TEST_CASE("an answer can wait for the last part of what it ends") {
    Bench bench;
    bench.video(key(1, 100));
    CHECK(bench.next() == "k1…");
    CHECK(bench.lanes.pushBehind({5}, WireMessage::text("stopped"), bench.clock.monotonic()));
    bench.video(keyOf(6, 2, 70, 30));
    CHECK(bench.all() == "k1… k1 stopped k70");

    bench.video(key(2));  // not begun: nothing to wait for
    bench.lanes.pushBehind({5}, WireMessage::text("at once"), bench.clock.monotonic());
    CHECK(bench.all() == "at once k2");
}

TEST_CASE("lanes are bounded in bytes") {
    LaneLimits limits;
    limits.answerBytes = limits.eventBytes = limits.lossyBytes = limits.bulkBytes = 10;
    Bench bench(limits);
    for (const char* word : {"aaaa", "bbbb"}) {
        for (const Lane lane : {Lane::answers, Lane::events, Lane::lossy, Lane::bulk}) {
            CHECK(bench.text(lane, word));
        }
    }
    CHECK_FALSE(bench.text(Lane::answers, "cccc"));
    CHECK(bench.text(Lane::events, "cccc"));
    CHECK(bench.text(Lane::lossy, "cccc"));
    CHECK_FALSE(bench.text(Lane::bulk, "cccc"));
    CHECK_FALSE(bench.text(Lane::events, "longer than the lane"));
    CHECK(bench.lanes.use(Lane::lossy, bench.clock.monotonic()).dropped == 1);
    CHECK(bench.all() == "aaaa bbbb bbbb cccc aaaa bbbb");
}

TEST_CASE("a full video lane keeps what is newest and decodable") {
    LaneLimits limits;
    limits.videoBytes = 5 * (30 + FrameHeader::kSize);
    Bench bench(limits);
    for (const Chunk& chunk : {init(), key(1), delta(2), delta(3), delta(4), delta(5)}) bench.video(chunk);
    CHECK(bench.lanes.bytes(Lane::video) <= limits.videoBytes);
    CHECK(bench.lanes.awaitsKeyFrame(5));
    CHECK(bench.cut().at(0).frames == 4);
    for (const Chunk& chunk : {key(6), delta(7)}) bench.video(chunk);
    CHECK(bench.all() == "i k1 k6 d7");
}

TEST_CASE("a key frame that finds no room may be told before what is cut in front of it, and is one notice") {
    LaneLimits limits;
    limits.videoBytes = 340;
    Bench bench(limits);
    bench.video(key(1, 150));
    bench.video(key(2, 150));  // no room
    CHECK(bench.lanes.awaitsKeyFrame(5));
    bench.video(key(3, 10));
    bench.clock.advance(501ms);
    const auto notices = bench.cut();
    REQUIRE(notices.size() == 1);
    CHECK(notices[0].fromSequence == 1);
    CHECK(notices[0].toSequence == 2);
    CHECK(bench.all() == "k3");
}

TEST_CASE("an init segment that finds no room means that the peer does not read") {
    LaneLimits limits;
    limits.videoBytes = 100;
    Bench bench(limits);
    CHECK(bench.video(init()));
    CHECK_FALSE(bench.video(init()));
}

namespace {

/// Pushes, pops and cuts at random, and watches what comes out: whole access units, each delta right after
/// the access unit that was pushed before it.
class Torture {
  public:
    Torture(unsigned seed, LaneLimits limits) : limits_(limits), bench_(limits), random_(seed) {}

    void run(int steps) {
        for (int i = 0; i < steps; ++i) {
            step();
            CHECK(bench_.lanes.bytes(Lane::video) <= limits_.videoBytes);
        }
        while (take()) {
        }
        CHECK(bench_.lanes.empty());
        CHECK(bench_.lanes.bytes(Lane::video) == 0);
        CHECK(sent_ + dropped_ + dropNoticed_ + withheld_ == pushed_);
        CHECK(sent_ > 0);
    }

  private:
    struct Source {
        std::uint32_t next = 1;  ///< every picture gets the next number
        std::uint32_t lastSent = 0;
        std::uint32_t begun = 0;  ///< a picture of which parts came, but not the last
        std::uint32_t nextOffset = 0;
        bool started = false;  ///< a key frame was pushed since the beginning
    };

    int roll(int sides) { return static_cast<int>(random_() % static_cast<unsigned>(sides)); }

    void step() {
        switch (roll(8)) {
            case 0:
            case 1:
            case 2:
                push();
                break;
            case 3:
                bench_.clock.advance(Microseconds(roll(200'000)));
                break;
            case 4:
                for (const DropNotice& notice : bench_.cut()) dropNoticed_ += notice.frames;
                break;
            case 5:
                if (roll(20) == 0) drop();
                break;
            default:
                take();
        }
    }

    void push() {
        const auto rendition = static_cast<RenditionId>(1 + roll(3));
        Source& source = sources_[rendition];
        const auto bytes = static_cast<std::size_t>(roll(200));
        Chunk chunk = deltaOf(rendition, static_cast<std::uint16_t>(rendition), source.next++, bytes);
        chunk.keyFrame = roll(12) == 0;
        ++pushed_;
        if (!chunk.keyFrame && !source.started) ++withheld_;
        source.started = source.started || chunk.keyFrame;
        CHECK(bench_.video(chunk));
    }

    void drop() {
        const auto rendition = static_cast<RenditionId>(1 + roll(3));
        const std::size_t before = bench_.lanes.depth(Lane::video);
        bench_.lanes.dropRendition(rendition);
        dropped_ += before - bench_.lanes.depth(Lane::video);
        sources_[rendition].started = false;
    }

    bool take() {
        const auto message = bench_.lanes.pop();
        if (!message) {
            for (const DropNotice& notice : bench_.cut()) dropNoticed_ += notice.frames;
            return false;
        }
        const auto frame = parseFrame(message->bytes());
        REQUIRE(frame);
        check(frame->header, frame->part.size());
        return true;
    }

    void check(const FrameHeader& header, std::size_t partSize) {
        Source& source = sources_[header.channel];
        for (const auto& [rendition, other] : sources_) {
            if (rendition != header.channel) CHECK(other.begun == 0);  // nothing between its parts
        }
        if (source.begun != 0) {
            CHECK(source.begun == header.sequence);
            CHECK(header.partOffset == source.nextOffset);
        } else {
            CHECK(header.partOffset == 0);
            CHECK(header.sequence > source.lastSent);
            const bool isKey = (header.flags & FrameHeader::kKeyFrame) != 0;
            if (!isKey) CHECK(header.sequence == source.lastSent + 1);
        }
        source.nextOffset = header.partOffset + static_cast<std::uint32_t>(partSize);
        const bool last = source.nextOffset == header.payloadLength;
        source.begun = last ? 0 : header.sequence;
        source.lastSent = header.sequence;
        if (last) ++sent_;
    }

    LaneLimits limits_;
    Bench bench_;
    std::mt19937 random_;
    std::map<RenditionId, Source> sources_;
    std::uint64_t pushed_ = 0, sent_ = 0, dropped_ = 0, dropNoticed_ = 0, withheld_ = 0;
};

}  // namespace

TEST_CASE("of key frames only one now and then is taken, and nothing that builds on another") {
    Bench bench;
    bench.video(keyOf(1, 1, 100));
    bench.video(deltaOf(1, 1, 101));
    bench.lanes.onlyKeyFrames(1s);
    bench.video(initOf(1, 2));
    bench.video(deltaOf(1, 1, 102));
    bench.video(keyOf(1, 1, 103));
    bench.video(keyOf(2, 3, 7));
    bench.clock.advance(740ms);
    bench.video(keyOf(1, 1, 104));
    bench.clock.advance(10ms);  // three quarters of the interval
    bench.video(keyOf(1, 1, 105));
    bench.video(deltaOf(1, 1, 106));
    CHECK(bench.lanes.depth(Lane::video) == 6);
    CHECK(bench.lanes.awaitsKeyFrame(1));
    bench.lanes.onlyKeyFrames(std::nullopt);
    bench.video(deltaOf(1, 1, 107));
    bench.video(keyOf(1, 1, 108));
    bench.video(deltaOf(1, 1, 109));
    CHECK(bench.lanes.depth(Lane::video) == 8);
    const auto told = bench.cut();
    REQUIRE(told.size() >= 1);
    CHECK(told.back().toSequence == 107);  // and what was older than half a second
}

TEST_CASE("whatever happens, no access unit is torn and no delta comes without what it builds on") {
    for (unsigned seed = 1; seed <= 60; ++seed) {
        CAPTURE(seed);
        LaneLimits roomy;
        Torture(seed, roomy).run(800);
        LaneLimits narrow;
        narrow.videoBytes = 1500;
        Torture(seed, narrow).run(800);
    }
}
