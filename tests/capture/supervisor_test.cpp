#include "capture/supervisor.hpp"

#include <doctest/doctest.h>

#include <vector>

#include "tests/support/fake_clock.hpp"

using namespace edgecam;
using namespace edgecam::capture;
using namespace std::chrono_literals;

namespace {

using Order = Supervisor::Order;
const SourceFailure kRefused{SourceFailure::Kind::ordinary, "connection refused"};
const SourceFailure kUnauthorized{SourceFailure::Kind::wrongCredentials, "wrong password"};

struct Fixture {
    test::FakeClock clock;
    Supervisor supervisor{clock, true};

    /// Fails the open source, closes it, and turns the clock in steps of 10 ms until it is to be opened
    /// again.
    Microseconds waitAfter(const SourceFailure& failure) {
        supervisor.failed(failure);
        REQUIRE(supervisor.next() == Order::close);
        Microseconds waited{0};
        while (supervisor.next() != Order::open) {
            clock.advance(10ms);
            waited += 10ms;
            REQUIRE(waited < 100s);
        }
        return waited;
    }
    void picture(double rate = 30) { supervisor.sawPicture(clock.monotonic(), rate); }
    void playFor(Microseconds time) {
        for (Microseconds played{0}; played < time; played += 100ms) {
            clock.advance(100ms);
            picture();
            REQUIRE(supervisor.next() == Order::none);
        }
    }
};

}  // namespace

TEST_CASE_FIXTURE(Fixture, "a source is opened once and is live with its first picture") {
    CHECK(supervisor.next() == Order::open);
    CHECK(supervisor.next() == Order::none);
    CHECK(supervisor.state() == CameraState::starting);
    clock.advance(50ms);
    picture();
    CHECK(supervisor.state() == CameraState::live);
    CHECK(supervisor.reason().empty());
    CHECK(supervisor.restarts() == 0);
}

TEST_CASE_FIXTURE(Fixture, "failures are retried after 0.25, 0.5, 1, 2, 2 seconds and say why") {
    REQUIRE(supervisor.next() == Order::open);
    for (const Microseconds expected : std::vector<Microseconds>{250ms, 500ms, 1s, 2s, 2s}) {
        CHECK(waitAfter(kRefused) == expected);
        CHECK(supervisor.state() == CameraState::reconnecting);
        CHECK(supervisor.reason() == "connection refused");
    }
    CHECK(supervisor.restarts() == 5);
}

TEST_CASE_FIXTURE(Fixture, "several reports about one opening are one failure") {
    REQUIRE(supervisor.next() == Order::open);
    supervisor.failed(kRefused);
    supervisor.failed({SourceFailure::Kind::ordinary, "an echo"});
    CHECK(supervisor.reason() == "connection refused");
    CHECK(supervisor.next() == Order::close);
    supervisor.failed({SourceFailure::Kind::ordinary, "a late echo"});
    CHECK(supervisor.reason() == "connection refused");
    clock.advance(250ms);
    CHECK(supervisor.next() == Order::open);
}

TEST_CASE_FIXTURE(Fixture, "a wrong password waits a minute and is an error") {
    REQUIRE(supervisor.next() == Order::open);
    supervisor.failed(kUnauthorized);
    CHECK(supervisor.state() == CameraState::error);
    CHECK(supervisor.next() == Order::close);
    clock.advance(59s);
    CHECK(supervisor.next() == Order::none);
    clock.advance(1s);
    CHECK(supervisor.next() == Order::open);
    CHECK(supervisor.state() == CameraState::error);
    clock.advance(10ms);
    picture();
    CHECK(supervisor.state() == CameraState::live);
}

TEST_CASE_FIXTURE(Fixture, "a live source without a picture for three seconds has failed") {
    REQUIRE(supervisor.next() == Order::open);
    playFor(1s);
    clock.advance(3s);
    CHECK(supervisor.next() == Order::none);
    clock.advance(1ms);
    CHECK(supervisor.next() == Order::close);
    CHECK(supervisor.reason() == "no picture for more than 3 s");
}

TEST_CASE_FIXTURE(Fixture, "a slow camera is given five of its own intervals") {
    REQUIRE(supervisor.next() == Order::open);
    clock.advance(100ms);
    picture(0.5);
    clock.advance(10s);
    CHECK(supervisor.next() == Order::none);
    clock.advance(1ms);
    CHECK(supervisor.next() == Order::close);
}

TEST_CASE_FIXTURE(Fixture,
                  "a camera whose rate is not known yet is given eight seconds, in every opening anew") {
    REQUIRE(supervisor.next() == Order::open);
    playFor(1s);  // fast, and its rate known
    waitAfter(kRefused);
    clock.advance(100ms);
    picture(0);
    clock.advance(8s);
    CHECK(supervisor.next() == Order::none);
    picture(0);
    clock.advance(8s);
    CHECK(supervisor.next() == Order::none);
    picture(30);
    clock.advance(3s + 1ms);
    CHECK(supervisor.next() == Order::close);
}

TEST_CASE_FIXTURE(Fixture, "a stall that is noticed sooner or later reads the same") {
    REQUIRE(supervisor.next() == Order::open);
    clock.advance(8s + 1ms);
    REQUIRE(supervisor.next() == Order::close);
    const std::string reason = supervisor.reason();
    clock.advance(1s);
    REQUIRE(supervisor.next() == Order::open);
    clock.advance(8s + 100ms);
    REQUIRE(supervisor.next() == Order::close);
    CHECK(supervisor.reason() == reason);
    CHECK(reason == "no picture for more than 8 s");
}

TEST_CASE_FIXTURE(Fixture, "a camera that is turned off has no trouble to tell of") {
    REQUIRE(supervisor.next() == Order::open);
    supervisor.failed(kRefused);
    supervisor.enable(false);
    CHECK(supervisor.reason().empty());
    CHECK(supervisor.next() == Order::close);
    CHECK(supervisor.reason().empty());

    supervisor.enable(true);
    REQUIRE(supervisor.next() == Order::open);
    supervisor.enable(false);
    clock.advance(9s);
    supervisor.failed(kRefused);
    CHECK(supervisor.next() == Order::close);
    CHECK(supervisor.reason().empty());
}

TEST_CASE_FIXTURE(Fixture, "an opening without any picture is given up after eight seconds") {
    REQUIRE(supervisor.next() == Order::open);
    clock.advance(8s);
    CHECK(supervisor.next() == Order::none);
    clock.advance(1ms);
    CHECK(supervisor.next() == Order::close);
}

TEST_CASE_FIXTURE(Fixture, "ten healthy seconds forgive earlier failures, fewer do not") {
    REQUIRE(supervisor.next() == Order::open);
    waitAfter(kRefused);
    waitAfter(kRefused);
    playFor(9s);
    CHECK(waitAfter(kRefused) == 1s);
    playFor(11s);
    CHECK(waitAfter(kRefused) == 250ms);
}

TEST_CASE_FIXTURE(Fixture, "disabling closes, enabling opens at once, whatever went before") {
    REQUIRE(supervisor.next() == Order::open);
    supervisor.enable(false);
    CHECK(supervisor.state() == CameraState::disabled);
    CHECK(supervisor.next() == Order::close);
    CHECK(supervisor.next() == Order::none);
    supervisor.enable(true);
    CHECK(supervisor.next() == Order::open);
    supervisor.failed(kUnauthorized);
    REQUIRE(supervisor.next() == Order::close);
    supervisor.enable(false);
    supervisor.enable(true);
    CHECK(supervisor.next() == Order::open);
    CHECK(supervisor.state() == CameraState::starting);
}

TEST_CASE_FIXTURE(Fixture, "a picture of the generation before does not make the next one live") {
    REQUIRE(supervisor.next() == Order::open);
    playFor(1s);
    const Monotonic old = clock.monotonic();
    waitAfter(kRefused);
    supervisor.sawPicture(old, 30);
    CHECK(supervisor.state() == CameraState::reconnecting);
}

TEST_CASE_FIXTURE(Fixture, "a source that nobody needs is closed, and opened again when somebody does") {
    supervisor.need(false);
    CHECK(supervisor.next() == Order::none);
    supervisor.need(true);
    CHECK(supervisor.next() == Order::open);
    clock.advance(10ms);
    picture();
    supervisor.need(false);
    CHECK(supervisor.next() == Order::close);
    CHECK(supervisor.next() == Order::none);
    CHECK(supervisor.reason().empty());
    supervisor.need(true);
    CHECK(supervisor.next() == Order::open);
    CHECK(supervisor.state() == CameraState::starting);
}

TEST_CASE_FIXTURE(Fixture, "needs that come and go do not try a wrong password sooner") {
    CHECK(supervisor.next() == Order::open);
    supervisor.failed(kUnauthorized);
    CHECK(supervisor.next() == Order::close);
    for (int second = 0; second < 59; ++second) {
        supervisor.need(second % 2 != 0);
        clock.advance(1s);
        CHECK(supervisor.next() == Order::none);
    }
    supervisor.need(true);
    CHECK(supervisor.state() == CameraState::error);
    clock.advance(2s);
    CHECK(supervisor.next() == Order::open);
}

TEST_CASE_FIXTURE(Fixture, "pictures that something is wrong with are degraded, and live when it is over") {
    REQUIRE(supervisor.next() == Order::open);
    supervisor.impaired("the picture is frozen", false);
    CHECK(supervisor.state() == CameraState::starting);
    CHECK(supervisor.reason().empty());
    clock.advance(50ms);
    picture();
    CHECK(supervisor.state() == CameraState::degraded);
    CHECK(supervisor.reason() == "the picture is frozen");
    CHECK(supervisor.next() == Order::none);
    supervisor.impaired("", false);
    CHECK(supervisor.state() == CameraState::live);
    CHECK(supervisor.reason().empty());
}

TEST_CASE_FIXTURE(Fixture, "a stall without a signal is told as that, another not") {
    for (const bool silences : {true, false}) {
        CAPTURE(silences);
        while (supervisor.next() != Order::open) clock.advance(100ms);
        clock.advance(50ms);
        picture();
        supervisor.impaired("no signal", silences);
        clock.advance(4s);
        REQUIRE(supervisor.next() == Order::close);
        CHECK(supervisor.state() == CameraState::reconnecting);
        CHECK(supervisor.reason() == (silences ? "no signal" : "no picture for more than 3 s"));
    }
}

TEST_CASE_FIXTURE(Fixture,
                  "a device that appears is tried at once, and often again, as udev needs a moment") {
    REQUIRE(supervisor.next() == Order::open);
    for (int i = 0; i < 5; ++i) waitAfter(kRefused);
    supervisor.failed(kRefused);
    REQUIRE(supervisor.next() == Order::close);
    REQUIRE(supervisor.next() == Order::none);
    supervisor.hurry();
    CHECK(supervisor.next() == Order::open);
    CHECK(waitAfter(kRefused) == 250ms);
    // A wrong password does not get right by it.
    supervisor.failed(kUnauthorized);
    REQUIRE(supervisor.next() == Order::close);
    supervisor.hurry();
    CHECK(supervisor.next() == Order::none);
}
