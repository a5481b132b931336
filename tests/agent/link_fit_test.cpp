#include "agent/link_fit.hpp"

#include <doctest/doctest.h>

using namespace edgecam;
using namespace std::chrono_literals;
using agent::LinkFit;
using Coding = LinkFit::Coding;

namespace {

struct Link {
    LinkFit fit;
    LinkFit::Load load{.ownKbps = 4000, .subKbps = 500};
    Monotonic now{};

    Coding carries(int kbps, Microseconds span = 100ms) {
        Coding coding = fit.chosen();
        for (const Monotonic end = now + span; now < end; now += 100ms) coding = fit.choose(load, kbps, now);
        return coding;
    }
    /// How long it is so, at most an hour.
    Microseconds whileIs(Coding coding, int kbps) {
        const Monotonic begin = now;
        while (fit.choose(load, kbps, now) == coding && now - begin < 1h) now += 100ms;
        return now - begin;
    }
};

}  // namespace

TEST_CASE_FIXTURE(Link, "a link with room gets the camera's own coding, a thin one its sub stream, at once") {
    CHECK(fit.chosen() == Coding::own);
    CHECK(carries(5000) == Coding::own);
    CHECK(carries(3900) == Coding::sub);
    CHECK(carries(499) == Coding::encode);
}

TEST_CASE_FIXTURE(Link, "without a sub stream it is the encode, until there was room for long") {
    load.subKbps = std::nullopt;
    CHECK(carries(3900, 1h) == Coding::encode);
    CHECK(carries(4700, 1h) == Coding::encode);
    CHECK(carries(4800, 9s) == Coding::encode);
    CHECK(carries(4799) == Coding::encode);
    CHECK(carries(4800, 9s) == Coding::encode);
    CHECK(carries(4800, 2s) == Coding::own);
}

TEST_CASE_FIXTURE(Link, "the sub stream comes back when the link has carried more than it for long") {
    CHECK(carries(300, 1s) == Coding::encode);
    CHECK(carries(599, 1min) == Coding::encode);
    CHECK(carries(600, 9s) == Coding::encode);
    CHECK(carries(600, 2s) == Coding::sub);
}

TEST_CASE_FIXTURE(Link, "where the sub stream has long had room an encode tries for more, ever more seldom") {
    CHECK(carries(3000) == Coding::sub);
    for (const Microseconds wait : {20s, 40s, 80s, 120s, 120s}) {
        CHECK(std::chrono::abs(whileIs(Coding::sub, 3000) - wait) <= 200ms);
        CHECK(std::chrono::abs(whileIs(Coding::encode, 3000) - 10s) <= 200ms);
    }
    // One that finds room leads to the camera's own coding, and is forgotten.
    whileIs(Coding::sub, 3000);
    CHECK(carries(4800, 11s) == Coding::own);
    CHECK(carries(3000) == Coding::sub);
    CHECK(std::chrono::abs(whileIs(Coding::sub, 3000) - 20s) <= 200ms);
}

TEST_CASE_FIXTURE(Link,
                  "no try where the sub stream has just room enough, or less than the source is wished") {
    CHECK(carries(3000) == Coding::sub);
    CHECK(whileIs(Coding::sub, 550) == 1h);
    load.ownWished = false;
    CHECK(whileIs(Coding::sub, 3000) == 1h);
}

TEST_CASE_FIXTURE(Link, "a sub stream that was never measured is taken for fitting") {
    load.subKbps = 0;
    CHECK(carries(100) == Coding::sub);
    load.subKbps = 500;
    CHECK(carries(100) == Coding::encode);
}
