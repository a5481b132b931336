#include "uplink/rate_controller.hpp"

#include <doctest/doctest.h>

#include <string>

using namespace std::chrono_literals;
using namespace edgecam;
using namespace edgecam::uplink;

namespace {

/// A connection as the controller sees it, a sample every 100 ms.
class Connection {
  public:
    explicit Connection(RateLimits limits = {}) : controller(limits) {}

    /// The link carries `kbps`, all of it used, and a picture waits for `queue`.
    RateDecision full(int kbps, Microseconds queue = 0us) {
        sample_.appLimited = false;
        sample_.sojourn = queue;
        sample_.queueDelay = 50ms;
        return next(kbps);
    }
    /// Pictures of `kbps` pass and nothing waits.
    RateDecision easy(int kbps) {
        sample_.appLimited = true;
        sample_.sojourn = 0us;
        sample_.queueDelay = 0us;
        return next(kbps);
    }
    /// As easy(), and the encoder uses its rate.
    RateDecision easy() { return easy(last.kbps); }
    /// Something is under way and nothing is acknowledged.
    RateDecision silent() { return next(0); }

    [[nodiscard]] Monotonic now() const { return sample_.at; }
    RateSample& also() { return sample_; }  ///< what else the next samples say

    RateController controller;
    RateDecision last{.kbps = 500};
    bool swallowed = false;  ///< a proxy near by has acknowledged all before anybody looks

  private:
    RateDecision next(int kbps) {
        sample_.at += 100ms;
        sample_.acked += static_cast<std::uint64_t>(kbps) * 100 / 8;
        sample_.outstanding = swallowed ? 0 : 5000;
        last = controller.tick(sample_);
        return last;
    }

    RateSample sample_{.at = Monotonic(5s), .leastRtt = 20ms};
};

/// Up to `kbps`, over a link that was never full.
Connection grownTo(int kbps) {
    Connection connection({.mostKbps = kbps});
    for (int i = 0; i < 300 && connection.last.kbps < kbps; ++i) connection.easy();
    REQUIRE(connection.last.kbps == kbps);
    connection.controller.setLimits({});
    return connection;
}

/// Two samples of a full link without a queue, then one with: until it is cut.
RateDecision cutAt(Connection& connection, int kbps) {
    for (int i = 0; i < 10; ++i) {
        if (connection.full(kbps, 200ms).state == RateState::cut) return connection.last;
    }
    FAIL("never cut");
    return {};
}

}  // namespace

TEST_SUITE("rate controller") {
    TEST_CASE("it starts low, grows while nothing waits, and keeps to its limits") {
        Connection connection({.leastKbps = 200, .mostKbps = 3000});
        CHECK(connection.easy().state == RateState::start);
        CHECK(connection.last.kbps >= 500);
        for (int i = 0; i < 50; ++i) {
            const int before = connection.last.kbps;
            CHECK(connection.easy().kbps >= before);
        }
        CHECK(connection.last.kbps == 3000);
    }

    TEST_CASE("limits change while it runs, at once, and in the wrong order the least counts") {
        Connection connection = grownTo(3000);
        connection.controller.setLimits({.leastKbps = 50, .mostKbps = 800});
        CHECK(connection.easy().kbps == 800);
        connection.controller.setLimits({.leastKbps = 1500, .mostKbps = 100});
        CHECK(connection.easy().kbps == 1500);
    }

    TEST_CASE("delay that stays is cut to a share of what the link carries, not below half at once") {
        Connection connection = grownTo(1500);
        for (int i = 0; i < 10; ++i) connection.full(1000, 40ms);
        const RateDecision cut = cutAt(connection, 1000);
        CHECK(cut.kbps < 800);  // the queue is to drain besides
        CHECK_FALSE(cut.flush);
        connection.full(1000, 40ms);
        CHECK(connection.easy(1000).kbps >= 790);
        CHECK(connection.last.kbps <= 830);

        Connection collapsed = grownTo(3900);
        cutAt(collapsed, 300);
        collapsed.easy(300);
        CHECK(collapsed.easy(300).kbps >= 1900);
    }

    TEST_CASE("a pause of the radio is no queue: what is sent falls, the rate stays") {
        Connection connection = grownTo(1500);
        const int before = connection.easy().kbps;
        connection.full(1000, 190ms);
        CHECK(connection.full(1000, 190ms).kbps < before);
        CHECK(connection.last.state != RateState::cut);
        CHECK(connection.easy().kbps >= before);
    }

    TEST_CASE("between two cuts it waits to see what the first did") {
        Connection connection = grownTo(3000);
        cutAt(connection, 500);
        const Monotonic first = connection.now();
        const int once = connection.full(500, 130ms).kbps;
        while (connection.now() < first + 150ms) CHECK(connection.full(500, 130ms).kbps >= once);
        connection.full(500, 130ms);
        CHECK(connection.full(500, 130ms).kbps < once);
    }

    TEST_CASE("where the link was full it goes up slowly, until that is forgotten") {
        Connection connection = grownTo(1000);
        for (int i = 0; i < 10; ++i) connection.full(1000, 40ms);
        cutAt(connection, 1000);
        const Monotonic seen = connection.now();
        const auto until = [&](Monotonic then) {
            while (connection.now() < then) connection.full(connection.last.kbps);
            return connection.last.kbps;
        };
        const int early = until(seen + 3s);
        CHECK(early > 900);
        const int late = until(seen + 6500ms);
        CHECK(late < early * 1.1);
        CHECK(until(seen + 11500ms) > late * 1.1);
    }

    TEST_CASE("nothing gets through: the least rate, then most of the old one") {
        Connection connection = grownTo(2000);
        const int before = connection.easy().kbps;
        RateDecision decision;
        for (int i = 0; i < 20; ++i) decision = connection.silent();
        CHECK(decision.state == RateState::survive);
        CHECK(decision.kbps == 100);
        CHECK(connection.controller.delay() >= 1900ms);
        CHECK(connection.easy(2000).state != RateState::survive);
        CHECK(connection.easy(2000).state == RateState::probe);
        CHECK(connection.last.kbps > before / 2);
    }

    TEST_CASE("a short silence changes nothing of what was learnt") {
        Connection connection = grownTo(2000);
        const int before = connection.easy().kbps;
        for (int i = 0; i < 4; ++i) connection.silent();
        CHECK(connection.last.state == RateState::survive);
        connection.easy();
        CHECK(connection.easy(before).kbps >= before * 9 / 10);
    }

    TEST_CASE("an encoder that uses little of its rate proves nothing") {
        Connection connection = grownTo(1000);
        for (int i = 0; i < 11; ++i) connection.easy(100);
        const int before = connection.last.kbps;
        for (int i = 0; i < 50; ++i) CHECK(connection.easy(100).state == RateState::hold);
        CHECK(connection.last.kbps == before);
    }

    TEST_CASE("where the receiver is the limit it does not probe") {
        Connection connection = grownTo(1000);
        connection.also().receiverLimited = 0.8;
        const int before = connection.easy().kbps;
        for (int i = 0; i < 20; ++i) connection.easy();
        CHECK(connection.last.kbps <= before);
        CHECK(connection.last.state != RateState::probe);
        connection.also().receiverLimited = 0;
        for (int i = 0; i < 5; ++i) connection.easy();
        CHECK(connection.last.kbps > before);
    }

    TEST_CASE("a picture is held back while too much is before it; four in a second are a cut") {
        Connection connection = grownTo(1000);
        for (int i = 0; i < 10; ++i) connection.full(1000, 40ms);
        // 125,000 bytes a second, 64 ms and one and a quarter round trips of 20 ms.
        CHECK(connection.controller.takesPicture(connection.now(), 11'000));
        const int before = connection.full(1000).kbps;
        for (int i = 0; i < 3; ++i) CHECK_FALSE(connection.controller.takesPicture(connection.now(), 12'000));
        CHECK(connection.full(1000).state != RateState::cut);
        CHECK_FALSE(connection.controller.takesPicture(connection.now(), 12'000));
        CHECK(connection.full(1000).state == RateState::cut);
        CHECK(connection.last.kbps < before);
        CHECK(connection.full(1000, 40ms).state != RateState::cut);  // counted once
    }

    TEST_CASE("what waits too long is to be flushed, once a second at most") {
        Connection connection = grownTo(3000);
        for (int i = 0; i < 4; ++i) connection.full(500);
        connection.also().waiting = 50'000;  // 0.8 s
        int flushes = 0;
        for (int i = 0; i < 21; ++i) flushes += connection.full(500, 600ms).flush;
        CHECK(flushes == 2);
    }

    TEST_CASE("behind a proxy that takes everything, the hub's acknowledgements tell of the delay") {
        Connection connection = grownTo(1000);
        connection.also().mediaAckDelay = 90ms;
        for (int i = 0; i < 5; ++i) CHECK(connection.easy().state != RateState::cut);
        const int before = connection.last.kbps;
        connection.also().mediaAckDelay = 400ms;
        bool cut = false;
        for (int i = 0; i < 4; ++i) cut = cut || connection.easy().state == RateState::cut;
        CHECK(cut);
        CHECK(connection.last.kbps < before);
    }

    TEST_CASE("a proxy so near that nothing is ever seen under way hides no queue behind it") {
        Connection connection = grownTo(2000);
        connection.swallowed = true;
        connection.also().mediaAckDelay = 50ms;
        for (int i = 0; i < 10; ++i) CHECK(connection.easy().state != RateState::cut);
        // Its queue grows as long as the encoder gives 2 Mbit/s and it passes on 1.
        Microseconds queue = 0us;
        Microseconds longest = 0us;
        for (int i = 0; i < 100; ++i) {
            queue = std::max(0us, queue + Microseconds(100 * (connection.last.kbps - 1000)));
            longest = std::max(longest, queue);
            connection.also().mediaAckDelay = 50ms + queue;
            connection.easy();
        }
        CHECK(longest < 600ms);
        CHECK(queue < 150ms);
        CHECK(connection.last.kbps > 400);
    }

    TEST_CASE("states have words") {
        CHECK(std::string(nameOf(RateState::start)) == "start");
        CHECK(std::string(nameOf(RateState::hold)) == "hold");
        CHECK(std::string(nameOf(RateState::probe)) == "probe");
        CHECK(std::string(nameOf(RateState::cut)) == "cut");
        CHECK(std::string(nameOf(RateState::survive)) == "survive");
    }
}
