#include "uplink/link_meter.hpp"

#include <doctest/doctest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <deque>
#include <string>

#include "tests/support/emulated.hpp"
#include "tests/uplink/wire.hpp"

using namespace std::chrono_literals;
using namespace edgecam;
using namespace edgecam::uplink;

namespace {

constexpr double kMegabit = 1e6 / 8;  ///< bytes a second

/// A link with one bottleneck and endless video before it, in steps of a millisecond: bytes wait, pass at the
/// rate, and are acknowledged a round trip later; the kernel smooths round trips as RFC 6298 says.
class SimulatedLink {
  public:
    SimulatedLink(double bytesPerSecond, Microseconds rtt, std::size_t leastAllowance = 4 << 10)
        : meter(leastAllowance), rate(bytesPerSecond), baseRtt(rtt) {
        leastRtt_ = smoothed_ = baseRtt;
    }

    /// `hungry`: video always waits. Counts what arrives, and how long the last byte written would take.
    void run(Microseconds span, bool hungry = true) {
        const Monotonic end = now_ + span;
        while (now_ < end) {
            step(hungry);
            longestDelay = std::max(longestDelay, delay());
        }
    }
    /// Resets what run() counts.
    void startCounting() {
        arrived = 0;
        longestDelay = Microseconds(0);
    }
    /// Of something written now, to the far end: what waits before it, and the way.
    [[nodiscard]] Microseconds delay() const {
        return Microseconds(std::llround(static_cast<double>(waiting_) / std::max(rate, 1.0) * 1e6)) +
               baseRtt / 2;
    }

    LinkMeter meter;
    double rate;
    Microseconds baseRtt;
    std::size_t arrived = 0;
    Microseconds longestDelay{0};
    std::size_t burst = 0;  ///< bytes that pass at once after a pause

  private:
    struct Sent {
        std::size_t bytes;
        Monotonic writtenAt;
        Monotonic ackAt;
    };

    void step(bool hungry) {
        now_ += 1ms;
        credit_ =
            std::min(credit_ + rate / 1000, std::max<double>(static_cast<double>(burst), rate / 1000 + 1500));
        while (!queue_.empty() && credit_ >= static_cast<double>(queue_.front().bytes)) {
            Sent packet = queue_.front();
            queue_.pop_front();
            credit_ -= static_cast<double>(packet.bytes);
            waiting_ -= packet.bytes;
            arrived += packet.bytes;
            packet.ackAt = now_ + baseRtt;
            flying_.push_back(packet);
        }
        while (!flying_.empty() && flying_.front().ackAt <= now_) {
            const Sent& packet = flying_.front();
            acked_ += packet.bytes;
            outstanding_ -= packet.bytes;
            const Microseconds measured = now_ - packet.writtenAt;
            smoothed_ += (measured - smoothed_) / 8;
            leastRtt_ = std::min(leastRtt_, measured);
            flying_.pop_front();
        }
        if (now_ >= nextLook_) look(hungry);
    }

    void look(bool hungry) {
        meter.add({.at = now_,
                   .outstanding = outstanding_,
                   .rtt = smoothed_,
                   .leastRtt = leastRtt_,
                   .acked = acked_,
                   .held = wasHungry_ && hungry});
        wasHungry_ = hungry;
        while (hungry && meter.hasRoom(outstanding_, now_)) write(meter.partBytes());
        const auto wait = meter.timeToRoom(outstanding_, now_);
        nextLook_ = now_ + (meter.probing() ? Microseconds(2ms) : std::clamp<Microseconds>(wait, 2ms, 20ms));
    }

    void write(std::size_t bytes) {
        meter.wrote(bytes, now_);
        outstanding_ += bytes;
        waiting_ += bytes;
        for (; bytes > 0; bytes -= std::min<std::size_t>(bytes, 1448)) {
            queue_.push_back({std::min<std::size_t>(bytes, 1448), now_, {}});
        }
    }

    Monotonic now_{1s};
    Monotonic nextLook_{1s};
    Microseconds smoothed_;
    Microseconds leastRtt_;
    std::deque<Sent> queue_;   ///< before the bottleneck
    std::deque<Sent> flying_;  ///< behind it
    double credit_ = 0;
    std::size_t waiting_ = 0;
    std::size_t outstanding_ = 0;
    std::uint64_t acked_ = 0;
    bool wasHungry_ = false;
};

double megabitsOf(std::size_t bytes, Microseconds span) {
    return static_cast<double>(bytes) / kMegabit / (static_cast<double>(span.count()) / 1e6);
}

LinkSample sampleAt(Microseconds time, std::uint64_t acked, bool held, Microseconds rtt = 20ms) {
    return {.at = Monotonic(time),
            .outstanding = 5000,
            .rtt = rtt,
            .leastRtt = rtt,
            .acked = acked,
            .held = held};
}

}  // namespace

TEST_SUITE("link meter") {
    TEST_CASE("before anything is known it lets the first flight go, in parts of the usual size") {
        const LinkMeter meter;
        CHECK(meter.videoAllowance() == LinkMeter::kFirstAllowance);
        CHECK(meter.partBytes() == LinkMeter::kFirstPart);
        CHECK(meter.timeToDrain(1'000'000) == 0us);
        CHECK_FALSE(meter.rate());
        CHECK_FALSE(meter.minimumRtt());
        CHECK(LinkMeter(128 << 10).videoAllowance() == 128 << 10);
    }

    TEST_CASE("the allowance is the rate times the round trip and 80 ms, a part is 50 ms") {
        LinkMeter meter;
        meter.add(sampleAt(0ms, 0, true));
        meter.add(sampleAt(250ms, 50'000, true));
        CHECK(meter.rate() == 200'000);
        CHECK(meter.videoAllowance() == 20'000);
        CHECK(meter.partBytes() == 10'000);
        CHECK(meter.timeToDrain(2'000) == 10ms);
    }

    TEST_CASE("parts stay between 2 and 64 KB, and the allowance above a part and the floor") {
        LinkMeter thin;
        thin.add(sampleAt(0ms, 0, true));
        thin.add(sampleAt(250ms, 1'000, true));
        CHECK(thin.partBytes() == LinkMeter::kLeastPart);
        CHECK(thin.videoAllowance() == 4 << 10);
        LinkMeter wide;
        wide.add(sampleAt(0ms, 0, true));
        wide.add(sampleAt(250ms, 10'000'000, true));
        CHECK(wide.partBytes() == LinkMeter::kMostPart);
    }

    TEST_CASE("what was never held back shows only that the link carries at least so much") {
        LinkMeter meter;
        meter.add(sampleAt(0ms, 0, false));
        meter.add(sampleAt(250ms, 100, false));
        CHECK_FALSE(meter.limitKnown());
        CHECK(meter.videoAllowance() == LinkMeter::kFirstAllowance);
        meter.add(sampleAt(500ms, 250'100, false));
        CHECK(meter.videoAllowance() == 100'000);  // higher counts
        meter.add(sampleAt(750ms, 275'100, true));
        CHECK(meter.limitKnown());
        CHECK(meter.rate() == 1'000'000);
        meter.add(sampleAt(1s, 275'200, false));
        CHECK(meter.rate() == 1'000'000);  // lower does not
    }

    TEST_CASE("a highest rate lasts two seconds when the link carries less, and half a minute unchallenged") {
        LinkMeter meter;
        std::uint64_t acked = 0;
        Microseconds time{0};
        const auto pass = [&](std::uint64_t bytes, bool held) {
            time += 250ms;
            meter.add(sampleAt(time, acked += bytes, held));
        };
        meter.add(sampleAt(0ms, 0, true));
        pass(50'000, true);
        for (int i = 0; i < 8; ++i) pass(10'000, true);
        CHECK(meter.rate() == 200'000);
        pass(10'000, true);
        CHECK(meter.rate() == 40'000);
        for (int i = 0; i < 4 * 30; ++i) pass(100, false);
        CHECK(meter.rate() == 40'000);
        pass(100, false);
        CHECK_FALSE(meter.limitKnown());
        CHECK(meter.videoAllowance() == LinkMeter::kFirstAllowance);
    }

    TEST_CASE("hungry video fills the link, and an urgent message waits 80 ms and a part at most") {
        for (const double megabits : {0.5, 1.0, 4.0, 20.0}) {
            for (const Microseconds rtt :
                 {Microseconds(1ms), Microseconds(50ms), Microseconds(100ms), Microseconds(300ms)}) {
                CAPTURE(megabits);
                CAPTURE(rtt.count());
                SimulatedLink link(megabits * kMegabit, rtt);
                link.run(10s);
                link.startCounting();
                link.run(30s);
                // A probe costs up to two round trips in ten seconds.
                CHECK(megabitsOf(link.arrived, 30s) > (rtt > 100ms ? 0.88 : 0.95) * megabits);
                // The rate is measured up to a tenth too high, and packets are whole.
                CHECK(link.longestDelay - rtt / 2 < 190ms);
                // Where a round trip of 100 ms leaves time for it, an answer comes within 200 ms.
                if (rtt == 100ms) CHECK(link.longestDelay + rtt / 2 < 200ms);
            }
        }
    }

    TEST_CASE("the burst of a token bucket is not taken for the rate") {
        SimulatedLink link(1 * kMegabit, 1ms);
        link.burst = 8 << 10;
        link.run(5s);
        link.startCounting();
        for (int i = 0; i < 20; ++i) {
            link.run(100ms, false);
            link.run(900ms);
        }
        REQUIRE(link.meter.rate());
        CHECK(*link.meter.rate() < 1.35 * kMegabit);
        CHECK(link.longestDelay < 200ms);
    }

    TEST_CASE("a slower link is noticed within three seconds, a faster one too") {
        SimulatedLink link(4 * kMegabit, 20ms);
        link.run(5s);
        link.rate = 1 * kMegabit;
        link.run(3s);
        link.startCounting();
        link.run(5s);
        CHECK(link.longestDelay < 160ms);
        CHECK(megabitsOf(link.arrived, 5s) > 0.95);
        link.rate = 8 * kMegabit;
        link.run(3s);
        link.startCounting();
        link.run(5s);
        CHECK(megabitsOf(link.arrived, 5s) > 7.5);
    }

    TEST_CASE("a path that gets longer does not starve the video for five minutes") {
        SimulatedLink link(2 * kMegabit, 20ms);
        link.run(20s);
        link.baseRtt = 300ms;  // the kernel's shortest round trip stays 20 ms
        link.run(20s);
        link.startCounting();
        link.run(20s);
        CHECK(megabitsOf(link.arrived, 20s) > 1.8);
        CHECK(link.longestDelay - link.baseRtt / 2 < 200ms);
        link.baseRtt = 20ms;
        link.run(15s);
        link.startCounting();
        link.run(10s);
        CHECK(link.longestDelay < 160ms);
    }

    TEST_CASE("a link that comes back after an outage is filled again at once") {
        SimulatedLink link(2 * kMegabit, 50ms);
        link.run(10s);
        link.rate = 0;
        link.run(15s);
        CHECK(link.meter.videoAllowance() == 4 << 10);
        link.rate = 2 * kMegabit;
        link.run(3s);
        link.startCounting();
        link.run(5s);
        CHECK(megabitsOf(link.arrived, 5s) > 1.9);
    }

    TEST_CASE("a probe that never sees the link empty ends all the same") {
        LinkMeter meter;
        Microseconds time{0};
        for (; time < 30s; time += 100ms) {
            meter.add({.at = Monotonic(time),
                       .outstanding = 5000,
                       .rtt = time == 0us ? Microseconds(20ms) : Microseconds(200ms),
                       .leastRtt = 20ms,
                       .acked = static_cast<std::uint64_t>(time.count()),
                       .held = true});
            if (meter.probing()) break;
        }
        CHECK(meter.videoAllowance() == 0);
        for (const auto begun = time; meter.probing() && time < begun + 10s; time += 100ms) {
            meter.add({.at = Monotonic(time),
                       .outstanding = 5000,
                       .rtt = 190ms,
                       .leastRtt = 20ms,
                       .acked = static_cast<std::uint64_t>(time.count()),
                       .held = true});
        }
        CHECK_FALSE(meter.probing());
        CHECK(meter.minimumRtt() == 190ms);
    }

    TEST_CASE("the kernel tells what is under way on a real socket, and what is none is no link") {
        if (edgecam::test::lacks("TCP_INFO")) return;
        const edgecam::test::Listener listener;
        const int near = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        sockaddr_in there{};
        there.sin_family = AF_INET;
        there.sin_port = htons(static_cast<std::uint16_t>(listener.port()));
        there.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        REQUIRE(connect(near, reinterpret_cast<const sockaddr*>(&there), sizeof there) == 0);
        const auto idle = readLink(near, Monotonic(5s));
        REQUIRE(idle);
        CHECK(idle->at == Monotonic(5s));
        CHECK(idle->outstanding == 0);
        // Nobody reads: more than the far end's buffer takes stays under way.
        const std::string much(64 << 10, 'x');
        std::size_t written = 0;
        for (ssize_t sent = 0; sent >= 0; written += static_cast<std::size_t>(std::max<ssize_t>(0, sent))) {
            sent = send(near, much.data(), much.size(), MSG_DONTWAIT);
        }
        const auto full = readLink(near, Monotonic(6s));
        REQUIRE(full);
        CHECK(full->outstanding > 0);
        CHECK(full->unsent > 0);
        CHECK(full->acked > idle->acked);
        CHECK(full->acked + full->outstanding >= written);
        CHECK(full->rtt > 0us);
        CHECK(full->leastRtt > 0us);
        close(near);
        CHECK_FALSE(readLink(-1, Monotonic()));
        CHECK(readOutstanding(-1) == 0);
    }
}
