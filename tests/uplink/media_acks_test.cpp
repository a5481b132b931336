#include "uplink/media_acks.hpp"

#include <doctest/doctest.h>

using namespace std::chrono_literals;
using namespace edgecam;
using namespace edgecam::uplink;

namespace {

using Verdict = MediaAcks::Verdict;

/// A connection with a hub that is `way` away and acknowledges every sixth of 30 pictures a second.
struct Line {
    Monotonic now{10s};
    MediaAcks acks{now};
    std::uint32_t sequence = 0;

    void pass(Microseconds span) { now += span; }
    void hand(std::uint16_t channel = 1) { acks.handed(channel, ++sequence, now); }
    Verdict ack(std::uint32_t acked, std::uint16_t channel = 1) {
        return acks.acknowledged(channel, acked, now);
    }
    [[nodiscard]] std::optional<Microseconds> delay() const { return acks.delay(now); }
    /// A second in which the last picture that was acknowledged is `behind` ones old.
    void second(std::uint32_t behind) {
        for (int picture = 0; picture < 30; ++picture) {
            hand();
            pass(33ms);
            if (picture % 6 == 5) REQUIRE(ack(sequence - behind) == Verdict::taken);
        }
    }
};

}  // namespace

TEST_CASE("the delay is from handing a picture over to its acknowledgement") {
    Line line;
    CHECK_FALSE(line.delay());
    line.hand();
    line.pass(20ms);
    line.hand();
    CHECK_FALSE(line.delay());
    line.pass(60ms);
    CHECK(line.ack(1) == Verdict::taken);
    CHECK(line.delay() == 80ms);
    CHECK(line.ack(2) == Verdict::taken);
    CHECK(line.delay() == 60ms);
    CHECK(line.acks.delays().count() == 2);
    CHECK(line.acks.delays().sum == 140ms);
}

TEST_CASE("what is acknowledged says the same of all before it, on whatever channel") {
    Line line;
    line.hand(1);
    line.hand(2);
    line.hand(1);
    line.pass(50ms);
    CHECK(line.ack(3, 1) == Verdict::taken);
    CHECK(line.ack(2, 2) == Verdict::old);
    CHECK(line.ack(1, 1) == Verdict::old);
    CHECK(line.ack(3, 1) == Verdict::old);
    CHECK(line.acks.delays().count() == 1);
}

TEST_CASE("what was never sent is no news but a mistake") {
    Line line;
    CHECK(line.ack(1) == Verdict::unknownChannel);
    line.hand();
    CHECK(line.ack(2) == Verdict::unknownSequence);
    CHECK(line.ack(1, 2) == Verdict::unknownChannel);
    CHECK(line.ack(0) == Verdict::old);
    CHECK_FALSE(line.delay());
}

TEST_CASE("a stream that begins again may go back, and forward") {
    Line line;
    line.acks.handed(1, 100, line.now);
    line.acks.handed(1, 101, line.now);
    line.acks.handed(1, 100, line.now + 10ms);  // its key frame once more
    line.pass(30ms);
    CHECK(line.ack(100) == Verdict::taken);
    CHECK(line.delay() == 20ms);  // of the later one
    CHECK(line.ack(101) == Verdict::old);
}

TEST_CASE("five a second are looked at, and five at once") {
    Line line;
    for (int i = 0; i < 8; ++i) line.hand();
    for (std::uint32_t i = 1; i <= 5; ++i) CHECK(line.ack(i) == Verdict::taken);
    CHECK(line.ack(6) == Verdict::tooOften);
    line.pass(200ms);
    CHECK(line.ack(7) == Verdict::taken);
    CHECK(line.ack(8) == Verdict::tooOften);
}

TEST_CASE("pictures that are not acknowledged any more are late before the hub can say so") {
    Line line;
    line.second(3);
    CHECK(*line.delay() < 150ms);
    for (int picture = 0; picture < 30; ++picture) {
        line.hand();
        line.pass(33ms);
    }
    // A second of them, less the 198 ms in which this hub acknowledges.
    CHECK(*line.delay() > 750ms);
    CHECK(*line.delay() < 1000ms);
}

TEST_CASE("where no more pictures come, none is waited for") {
    Line line;
    line.second(3);
    const auto before = line.delay();
    line.pass(5s);
    CHECK(line.delay() == before);
}

TEST_CASE("a hub that acknowledges twice a second is not taken for a slow one") {
    Line line;
    for (int picture = 0; picture < 60; ++picture) {
        line.hand();
        line.pass(33ms);
        if (picture % 15 == 14) CHECK(line.ack(line.sequence) == Verdict::taken);
        if (picture > 30) CHECK(*line.delay() <= 33ms);
    }
}

TEST_CASE("a hub that acknowledges no more is followed no more, until it does again") {
    Line line;
    line.second(3);
    line.pass(9s);
    CHECK(line.delay());
    line.pass(2s);
    CHECK_FALSE(line.delay());
    line.hand();
    line.pass(40ms);
    CHECK(line.ack(line.sequence) == Verdict::taken);
    CHECK(line.delay() == 40ms);
}

TEST_CASE("only so many pictures are remembered") {
    Line line;
    const auto most = static_cast<std::uint32_t>(MediaAcks::kMostRemembered);
    for (std::uint32_t i = 0; i < most + 10; ++i) line.hand();
    CHECK(line.ack(10) == Verdict::old);
    CHECK(line.ack(11) == Verdict::taken);
}
