// What a stranger, or a peer that lost its manners, may take of the local server: by address, by token, by
// byte.
#include <doctest/doctest.h>

#include <string>
#include <thread>
#include <vector>

#include "tests/support/emulated.hpp"
#include "tests/uplink/local_server_bench.hpp"

using namespace std::chrono_literals;
using namespace edgecam;
using namespace edgecam::uplink;
using edgecam::test::Wire;

namespace {

constexpr const char* kHere = "127.0.0.1";
constexpr const char* kGuesser = "127.0.0.2";
constexpr const char* kOther = "127.0.0.3";

struct Bench : test::ServerBench {
    using ServerBench::ServerBench;

    [[nodiscard]] Wire dial(const char* from) const { return Wire::dialFrom(from, server->port()); }
    [[nodiscard]] Wire open(const char* from, const std::string& forwardedFor = {}) const {
        Wire wire = dial(from);
        const std::string more = forwardedFor.empty() ? "" : "X-Forwarded-For: " + forwardedFor + "\r\n";
        REQUIRE(wire.upgrade("/v1/stream", more).starts_with("HTTP/1.1 101"));
        return wire;
    }
    [[nodiscard]] Wire enter(const char* from, const std::string& forwardedFor = {}) const {
        Wire wire = open(from, forwardedFor);
        signIn(wire, "secret");
        REQUIRE_FALSE(wire.textWith(R"("authenticated")").empty());
        return wire;
    }
    static void signIn(Wire& wire, const std::string& token) {
        wire.sendText(R"({"type":"auth","features":[],"token":")" + token + R"("})");
    }
    /// The close code that a token gets.
    [[nodiscard]] int codeFor(const char* from, const std::string& token,
                              const std::string& forwardedFor = {}) const {
        Wire wire = open(from, forwardedFor);
        signIn(wire, token);
        return wire.closeCode();
    }
    [[nodiscard]] std::string ask(const char* from, const std::string& path, const std::string& token,
                                  const std::string& more = {}) const {
        Wire wire = dial(from);
        wire.send("GET " + path + " HTTP/1.1\r\nHost: 127.0.0.1\r\n" + more + "Authorization: Bearer " +
                  token + "\r\nConnection: close\r\n\r\n");
        return wire.readAll();
    }
    [[nodiscard]] std::string handshake(const char* from, const std::string& token) const {
        Wire wire = dial(from);
        return wire.upgrade("/v1/stream", "Authorization: Bearer " + token + "\r\n");
    }
    bool deniedSoon(Denial why, int count) {
        const auto deadline = std::chrono::steady_clock::now() + 10s;
        while (denied(why) < count && std::chrono::steady_clock::now() < deadline) std::this_thread::yield();
        return denied(why) >= count;
    }
};

bool talks(Wire& wire) {
    wire.sendText(R"({"type":"heartbeat","id":5})");
    return wire.textWith(R"("heartbeat")").find(R"("id":5)") != std::string::npos;
}

LocalServerSettings withMetrics() {
    LocalServerSettings settings;
    settings.metrics = [](const Grant& /*grant*/) { return std::string("figures"); };
    return settings;
}

}  // namespace

TEST_SUITE("local server's limits") {
    TEST_CASE("an address that was wrong too often is not listened to, not even with the right token") {
        Bench bench(withMetrics());
        Wire before = bench.enter(kGuesser);
        Wire open = bench.open(kGuesser);
        for (int i = 0; i < 4; ++i) CHECK(bench.codeFor(kGuesser, "wrong") == 4401);
        for (int i = 0; i < 3; ++i) CHECK(bench.handshake(kGuesser, "wrong").starts_with("HTTP/1.1 401"));
        for (int i = 0; i < 3; ++i)
            CHECK(bench.ask(kGuesser, "/metrics", "wrong").starts_with("HTTP/1.1 401"));
        CHECK(bench.deniedSoon(Denial::wrongToken, 10));

        CHECK(bench.open(kGuesser).closeCode() == 4429);
        Bench::signIn(open, "secret");
        CHECK(open.closeCode() == 4429);
        for (const std::string& answer :
             {bench.handshake(kGuesser, "secret"), bench.ask(kGuesser, "/metrics", "secret")}) {
            CHECK(answer.starts_with("HTTP/1.1 429 Too Many Requests\r\n"));
            CHECK(answer.find("\r\nRetry-After: 7\r\n") != std::string::npos);
        }
        CHECK(bench.deniedSoon(Denial::tokenRate, 4));
        CHECK(bench.denied(Denial::wrongToken) == 10);

        CHECK(talks(before));
        Wire elsewhere = bench.enter(kOther);
        CHECK(talks(elsewhere));
        bench.clock.advance(7s);
        Wire later = bench.enter(kGuesser);
        CHECK(talks(later));
        CHECK(bench.codeFor(kGuesser, "wrong") == 4401);
        CHECK(bench.open(kGuesser).closeCode() == 4429);
        CHECK(talks(before));
    }

    TEST_CASE("what needs no token is served to such an address too") {
        Bench bench(withMetrics());
        for (int i = 0; i < 12; ++i) (void)bench.handshake(kHere, "wrong");
        CHECK(bench.handshake(kHere, "secret").starts_with("HTTP/1.1 429"));
        CHECK(bench.fetch("GET /healthz").starts_with("HTTP/1.1 200"));
        CHECK(bench.fetch("GET /metrics").ends_with("figures"));
    }

    TEST_CASE("a signed-in peer that says a wrong token goes, and that counts too") {
        Bench bench;
        for (int i = 0; i < 10; ++i) {
            Wire wire = bench.enter(kGuesser);
            Bench::signIn(wire, "wrong");
            CHECK(wire.closeCode() == 4401);
        }
        CHECK(bench.open(kGuesser).closeCode() == 4429);
    }

    TEST_CASE("one address has its share of the places; who leaves makes room, others are not concerned") {
        LocalServerSettings settings;
        settings.maxPerAddress = 2;
        Bench bench(settings);
        Wire first = bench.enter(kHere);
        Wire second = bench.open(kHere);
        CHECK(bench.open(kHere).closeCode() == 4429);
        CHECK(bench.deniedSoon(Denial::addressConnections, 1));
        Wire other = bench.enter(kOther);
        second.sendFrame(8, std::string("\x03\xe8", 2));
        CHECK(second.closeCode() == 1000);
        Wire third = bench.enter(kHere);
        for (Wire* wire : {&first, &other, &third}) CHECK(talks(*wire));
    }

    TEST_CASE("behind a trusted proxy each client counts for itself, and what it says of itself does not") {
        LocalServerSettings settings = withMetrics();
        settings.maxPerAddress = 1;
        settings.trustedProxies = {kHere};
        Bench bench(settings);
        Wire one = bench.enter(kHere, "198.51.100.1");
        Wire two = bench.enter(kHere, "198.51.100.1, 198.51.100.2");
        CHECK(bench.open(kHere, "198.51.100.3, 198.51.100.1").closeCode() == 4429);
        for (int i = 0; i < 10; ++i) CHECK(bench.codeFor(kHere, "wrong", "198.51.100.9") == 4401);
        CHECK(bench.open(kHere, "198.51.100.9").closeCode() == 4429);
        CHECK(bench.ask(kHere, "/metrics", "secret", "X-Forwarded-For: 198.51.100.9\r\n")
                  .starts_with("HTTP/1.1 429"));
        CHECK(
            bench.ask(kHere, "/metrics", "secret", "X-Forwarded-For: 198.51.100.8\r\n").ends_with("figures"));
        Wire four = bench.enter(kHere, "198.51.100.4");
        // Not a proxy: its word about others is worth nothing.
        Wire direct = bench.enter(kOther, "198.51.100.5");
        CHECK(bench.open(kOther, "198.51.100.6").closeCode() == 4429);
        for (Wire* wire : {&one, &two, &four, &direct}) CHECK(talks(*wire));
    }

    TEST_CASE("where IPv6 is listened to as well an IPv4 address is still one by itself") {
        LocalServerSettings settings = withMetrics();
        settings.address = "*";
        settings.trustedProxies = {kHere};
        Bench bench(settings);
        for (int i = 0; i < 10; ++i) CHECK(bench.codeFor(kGuesser, "wrong") == 4401);
        CHECK(bench.open(kGuesser).closeCode() == 4429);
        Wire other = bench.enter(kOther);
        Wire proxied = bench.enter(kHere, "198.51.100.1");
        CHECK(bench.open(kHere, "::ffff:127.0.0.2").closeCode() == 4429);
        for (Wire* wire : {&other, &proxied}) CHECK(talks(*wire));
    }

    TEST_CASE("one address cannot have all the sockets that wait: its own oldest gives way") {
        Bench bench;
        Wire patient = bench.dial(kOther);
        std::vector<Wire> idle;
        for (int i = 0; i < 60; ++i) idle.push_back(bench.dial(kGuesser));
        CHECK(idle.front().readAll().empty());
        CHECK(bench.deniedSoon(Denial::idleSockets, 60 - 32));
        CHECK(patient.upgrade().starts_with("HTTP/1.1 101"));
    }

    TEST_CASE("an address that crowds in pushes out itself, not who is alone at another") {
        Bench bench;
        Wire slow = bench.open(kOther);
        std::vector<Wire> crowd;
        for (int i = 0; i < 40; ++i) crowd.push_back(bench.open(kGuesser));
        CHECK(crowd.front().closeCode() == 4429);
        CHECK(bench.deniedSoon(Denial::newcomers, 40 + 1 - 32));
        Bench::signIn(slow, "secret");
        CHECK_FALSE(slow.textWith(R"("authenticated")").empty());
    }

    TEST_CASE("who is told to go and stays holds no socket that others need") {
        LocalServerSettings settings;
        settings.maxConnections = 2;
        Bench bench(settings);
        Wire viewer = bench.enter(kHere);
        std::vector<Wire> stubborn;
        for (int i = 0; i < 200; ++i) {
            const std::string address = "127.0.1." + std::to_string(1 + i % 200);
            stubborn.push_back(bench.open(address.c_str()));
            Bench::signIn(stubborn.back(), "wrong");
        }
        Wire late = bench.enter(kOther);
        CHECK(talks(viewer));
        CHECK(talks(late));
    }

    TEST_CASE("a newcomer may send what signing in takes, a known peer more, both with an end") {
        if (edgecam::test::lacks("TCP_INFO")) return;
        Bench bench;
        const std::string ping = std::string("\x89\xfd\x00\x00\x00\x00", 6) + std::string(125, 'p');
        const std::string empty = std::string("\x00\x80\x00\x00\x00\x00", 6);
        std::string pings;
        while (pings.size() < 200'000) pings += ping;
        Wire known = bench.enter(kHere);
        known.send(pings);
        CHECK(talks(known));
        Wire newcomer = bench.open(kHere);
        newcomer.send(pings);
        CHECK(newcomer.closeCode() == 4429);
        Wire begins = bench.enter(kHere);
        begins.sendFrame(1, "", false);
        std::string fragments;
        while (fragments.size() < 5'000'000) fragments += empty;
        std::thread sending([&] { begins.send(fragments); });
        CHECK(begins.closeCode() == 4429);
        sending.join();
        CHECK(bench.deniedSoon(Denial::byteRate, 1));
        CHECK(bench.deniedSoon(Denial::messageRate, 1));
        CHECK(talks(known));
    }

    TEST_CASE("every other denial is counted under its reason") {
        LocalServerSettings settings;
        settings.maxConnections = 2;
        settings.session.maxMessageBytes = 10'000;
        Bench bench(settings);
        CHECK(bench.fetch("GET /", "evil.example").starts_with("HTTP/1.1 403"));
        Wire foreign = bench.dial(kHere);
        CHECK(foreign.upgrade("/v1/stream", "Origin: http://evil.example\r\n").starts_with("HTTP/1.1 403"));
        Wire silent = bench.open(kHere);
        silent.sendText(R"({"type":"status","id":1})");
        REQUIRE_FALSE(silent.textWith(R"("unauthorized")").empty());
        bench.clock.advance(6s);
        CHECK(silent.closeCode() == 4408);
        Wire large = bench.enter(kHere);
        large.sendText(std::string(20'000, 'x'));
        CHECK(large.closeCode() == 1009);
        Wire binary = bench.enter(kHere);
        binary.sendFrame(2, "abc");
        CHECK(binary.closeCode() == 4400);
        Wire odd = bench.enter(kHere);
        odd.sendText("\xc3\x28");
        CHECK(odd.closeCode() == 1007);
        Wire reserved = bench.enter(kHere);
        reserved.send(std::string("\xc1\x82\x00\x00\x00\x00{}", 8));
        CHECK(reserved.closeCode() == 1002);
        CHECK(bench.deniedSoon(Denial::framing, 2));
        Wire one = bench.enter(kHere);
        Wire two = bench.enter(kHere);
        CHECK(bench.open(kHere).closeCode() == 4429);
        for (const Denial why : {Denial::foreignHost, Denial::foreignOrigin, Denial::authTimeout,
                                 Denial::messageSize, Denial::badMessages, Denial::connections}) {
            CAPTURE(nameOf(why));
            CHECK(bench.deniedSoon(why, 1));
            CHECK(bench.denied(why) == 1);
        }
    }
}
