#include "uplink/local_server.hpp"

#include <doctest/doctest.h>
#include <sys/resource.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <future>
#include <string>
#include <vector>

#include "tests/support/emulated.hpp"
#include "tests/support/temp_folder.hpp"
#include "tests/uplink/local_server_bench.hpp"
#include "tests/uplink/node_peer.hpp"
#include "tests/uplink/wire.hpp"
#include "uplink/own_certificate.hpp"

using namespace std::chrono_literals;
using namespace edgecam;
using namespace edgecam::uplink;
using Bench = edgecam::test::ServerBench;
using edgecam::test::FakeClock;
using edgecam::test::GrantingSink;
using edgecam::test::kChannel;
using edgecam::test::kRendition;
using edgecam::test::NodePeer;
using edgecam::test::TempFolder;
using edgecam::test::Wire;

namespace {

LocalServerSettings overTls(const std::string& folder) {
    const auto files = ownCertificate(folder, "box-7", "127.0.0.1");
    REQUIRE(files);
    LocalServerSettings settings;
    settings.tls = *files;
    return settings;
}

Chunk keyFrame(std::uint32_t sequence, std::size_t bytes) {
    Chunk chunk;
    chunk.rendition = kRendition;
    chunk.channel = kChannel;
    chunk.kind = sequence == 0 ? ChunkKind::initSegment : ChunkKind::accessUnit;
    chunk.keyFrame = true;
    chunk.sequence = sequence;
    chunk.payload = share(ByteBuffer(bytes, 7));
    auto format = std::make_shared<StreamFormat>();
    format->codecString = "avc1.64001f";
    chunk.format = std::move(format);
    return chunk;
}

// The last part of a payload: offset + length == total (docs/protocol.md).
bool endsPicture(const std::string& message, std::uint32_t sequence) {
    ByteReader reader(viewOf(message));
    (void)reader.u64();
    const auto got = reader.u32();
    const auto offset = reader.u32();
    (void)reader.u64();
    const auto total = reader.u32();
    return total && *got == sequence && *offset + message.size() - 32 == *total;
}

bool readsPicture(Wire& wire, std::uint32_t sequence) {
    while (const auto frame = wire.nextFrame()) {
        if (frame->opcode == 8) return false;
        if (frame->opcode == 2 && endsPicture(frame->payload, sequence)) return true;
    }
    return false;
}

}  // namespace

TEST_SUITE("local server") {
    TEST_CASE("a viewer authenticates and gets the status") {
        const Bench bench;
        Wire viewer = bench.open();
        viewer.sendText(R"({"type":"auth","token":"secret","id":1})");
        CHECK_FALSE(viewer.textWith(R"("event":"authenticated")").empty());
        const std::string status = viewer.textWith(R"("event":"status")");
        CHECK(status.find(R"("cam_123")") != std::string::npos);
    }

    TEST_CASE("a viewer on another implementation authenticates, talks, pings and leaves") {
        const Bench bench;
        const auto url = "ws://127.0.0.1:" + std::to_string(bench.server->port()) + "/v1/stream";
        auto viewer = NodePeer::run("viewer.mjs", {url, "secret"});
        if (!viewer) return;
        const std::string met = viewer->lineWith("code");
        for (const char* part : {R"("protocol":"edgecam.v1")", R"("extensions":"")", "system/authenticated",
                                 "system/status", "heartbeat/", R"("pong":"hello")", R"("code":1000)"}) {
            CAPTURE(part);
            CHECK(met.find(part) != std::string::npos);
        }
    }

    TEST_CASE("a wrong token is closed with 4401") {
        const Bench bench;
        Wire viewer = bench.open();
        viewer.sendText(R"({"type":"auth","token":"wrong"})");
        CHECK_FALSE(viewer.textWith(R"("unauthorized")").empty());
        CHECK(viewer.closeCode() == 4401);
    }

    TEST_CASE("who does not authenticate in time is closed with 4408") {
        Bench bench;
        Wire viewer = bench.open();
        viewer.sendText(R"({"type":"status","id":1})");
        REQUIRE_FALSE(viewer.textWith(R"("unauthorized")").empty());
        bench.clock.advance(6s);
        CHECK(viewer.closeCode() == 4408);
    }

    TEST_CASE("a bearer token at the handshake authenticates, a wrong one is a 401") {
        const Bench bench;
        Wire viewer = bench.dial();
        CHECK(viewer.upgrade("/v1/stream", "Authorization: Bearer secret\r\n").starts_with("HTTP/1.1 101"));
        CHECK_FALSE(viewer.textWith(R"("authenticated")").empty());
        Wire stranger = bench.dial();
        CHECK(stranger.upgrade("/v1/stream", "Authorization: Bearer wrong\r\n").starts_with("HTTP/1.1 401"));
    }

    TEST_CASE("the subprotocol is echoed if offered, and none is fine") {
        const Bench bench;
        Wire offering = bench.dial();
        const auto head = offering.upgrade("/v1/stream", "Sec-WebSocket-Protocol: other, edgecam.v1\r\n");
        CHECK(head.starts_with("HTTP/1.1 101"));
        CHECK(head.find("Sec-WebSocket-Protocol: edgecam.v1\r\n") != std::string::npos);
        Wire plain = bench.dial();
        CHECK(plain.upgrade().find("Sec-WebSocket-Protocol") == std::string::npos);
    }

    TEST_CASE("permessage-deflate is not agreed to") {
        const Bench bench;
        Wire viewer = bench.dial();
        const auto head = viewer.upgrade("/v1/stream", "Sec-WebSocket-Extensions: permessage-deflate\r\n");
        CHECK(head.starts_with("HTTP/1.1 101"));
        CHECK(head.find("deflate") == std::string::npos);
    }

    TEST_CASE("foreign origins and hosts are refused with 403, other paths with 404") {
        LocalServerSettings settings;
        settings.allowedOrigins = {"https://console.example"};
        settings.allowedHosts = {"camera.example"};
        const Bench bench(settings);
        const auto head = [&](std::string_view path, std::string_view more, std::string_view host) {
            Wire viewer = bench.dial();
            return viewer.upgrade(path, more, host);
        };
        CHECK(head("/v1/stream", "Origin: http://evil.example\r\n", "127.0.0.1").starts_with("HTTP/1.1 403"));
        CHECK(head("/v1/stream", "", "evil.example").starts_with("HTTP/1.1 403"));
        CHECK(head("/v1/other", "", "127.0.0.1").starts_with("HTTP/1.1 404"));
        CHECK(head("/v1/stream", "Origin: http://127.0.0.1\r\n", "127.0.0.1").starts_with("HTTP/1.1 101"));
        CHECK(head("/v1/stream", "Origin: https://console.example\r\n", "camera.example")
                  .starts_with("HTTP/1.1 101"));
    }

    TEST_CASE("upgrades to anything but a WebSocket, and CONNECT, come to nothing") {
        const Bench bench;
        const std::string more = "Host: 127.0.0.1\r\nConnection: Upgrade, HTTP2-Settings\r\n";
        const auto h2 = bench.http("GET / HTTP/1.1\r\n" + more +
                                   "Upgrade: h2c\r\nHTTP2-Settings: AAMAAABkAARAAAAAAAIAAAAA\r\n\r\n");
        CHECK(h2.find("101") == std::string::npos);
        const auto odd = bench.http("GET / HTTP/1.1\r\n" + more + "Upgrade: teapot\r\n\r\n");
        CHECK(odd.find("101") == std::string::npos);
        CHECK(bench.http("CONNECT other:80 HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\nhello").find("200") ==
              std::string::npos);
        const Wire decent = bench.enter();
    }

    TEST_CASE("a message beyond the limit is closed with 1009, at its announcement or when it has grown") {
        LocalServerSettings settings;
        settings.session.maxMessageBytes = 10'000;
        const Bench bench(settings);
        Wire announcing = bench.enter();
        // A terabyte in one frame, of which only the first bytes come.
        announcing.send(std::string("\x81\xff\x00\x00\x01\x00\x00\x00\x00\x00\x01\x02\x03\x04", 14) +
                        std::string(5000, 'x'));
        // Where a size has 32 bits, libwebsockets forgets the others, and what follows is no frame.
        CHECK(announcing.closeCode() == (sizeof(std::size_t) > 4 ? 1009 : 1006));
        Wire growing = bench.enter();
        growing.sendFrame(1, std::string(6000, 'x'), false);
        growing.sendFrame(0, std::string(6000, 'x'), false);
        CHECK(growing.closeCode() == 1009);
    }

    TEST_CASE("a binary message is closed with 4400") {
        const Bench bench;
        Wire viewer = bench.enter();
        viewer.sendFrame(2, "abc");
        CHECK(viewer.closeCode() == 4400);
    }

    TEST_CASE("text that is not UTF-8 is closed with 1007") {
        const Bench bench;
        Wire viewer = bench.enter();
        viewer.sendText("\xc3\x28");
        CHECK(viewer.closeCode() == 1007);
    }

    TEST_CASE("a message in fragments, with a ping between them, is one message") {
        const Bench bench;
        Wire viewer = bench.enter();
        viewer.sendFrame(1, R"({"type":"heart)", false);
        viewer.sendFrame(9, "between");
        viewer.sendFrame(0, "", false);
        viewer.sendFrame(0, R"(beat","id":)", false);
        viewer.sendFrame(0, R"(5})", true);
        CHECK(viewer.textWith(R"("heartbeat")").find(R"("id":5)") != std::string::npos);
    }

    TEST_CASE("a message longer than the receive buffer arrives whole") {
        const Bench bench;
        Wire viewer = bench.enter();
        viewer.sendText(R"({"type":"heartbeat","id":6,"x":")" + std::string(300'000, 'y') + "\"}");
        CHECK(viewer.textWith(R"("heartbeat")").find(R"("id":6)") != std::string::npos);
    }

    TEST_CASE("a flood of messages, or of pings, is closed with 4429 and disturbs nobody") {
        Bench bench;
        Wire neighbour = bench.enter();
        Wire chatty = bench.enter();
        std::string burst;
        for (int i = 0; i < 2500; ++i) burst += std::string("\x81\x82\x00\x00\x00\x00{}", 8);
        chatty.send(burst);
        CHECK(chatty.closeCode() == 4400);
        if (edgecam::test::lacks("TCP_INFO")) return;
        Wire pinging = bench.enter();
        const std::string ping = std::string("\x89\xfd\x00\x00\x00\x00", 6) + std::string(125, 'p');
        burst.clear();
        while (burst.size() < 5'000'000) burst += ping;
        auto sending = std::async(std::launch::async, [&] { pinging.send(burst); });
        CHECK(pinging.closeCode() == 4429);
        sending.wait();
        neighbour.sendText(R"({"type":"heartbeat","id":9})");
        CHECK(neighbour.textWith(R"("heartbeat")").find(R"("id":9)") != std::string::npos);
    }

    TEST_CASE("a picture is timed on its way through the lane, and through the socket") {
        Bench bench;
        Wire viewer = bench.enter();
        viewer.sendText(R"({"type":"stream_control","action":"start","camera_id":"cam_123","id":1})");
        REQUIRE_FALSE(viewer.textWith(R"("id":1)").empty());
        Chunk picture = keyFrame(1, 300'000);
        picture.madeAt = bench.clock.monotonic() - 20ms;
        bench.exchange.publish(keyFrame(0, 1000));
        bench.exchange.publish(picture);
        REQUIRE(readsPicture(viewer, 1));
        const auto seen = [&] {
            bench.exchange.publish(std::make_shared<const AgentFigures>());
            return bench.exchange.figures()->video;
        };
        for (int look = 0; look < 500 && seen().socket.count() == 0; ++look) {
            viewer.sendText(R"({"type":"heartbeat","id":2})");
            REQUIRE_FALSE(viewer.textWith(R"("id":2)").empty());
        }
        CHECK(seen().queue.count() == 1);
        CHECK(seen().queue.sum == 20ms);
        CHECK(seen().socket.count() == 1);
    }

    TEST_CASE("a viewer that never reads is let go, and the others keep receiving") {
        Bench bench;
        Wire reading = bench.enter();
        Wire stalled = bench.enter(4096);
        for (Wire* viewer : {&reading, &stalled}) {
            viewer->sendText(R"({"type":"stream_control","action":"start","camera_id":"cam_123","id":1})");
            REQUIRE_FALSE(viewer->textWith(R"("id":1)").empty());
        }
        bench.exchange.publish(keyFrame(0, 1000));
        // 20 s at ten pictures a second, at the pace of the viewer that reads.
        for (std::uint32_t sequence = 1; sequence <= 200; ++sequence) {
            bench.exchange.publish(keyFrame(sequence, 100'000));
            REQUIRE(readsPicture(reading, sequence));
            bench.clock.advance(100ms);
        }
        // A kernel offers a full peer the rest in its own time, and what that still takes is no standstill.
        bool isReset = false;
        for (int second = 0; second < 300 && !isReset; ++second) {
            bench.clock.advance(1s);
            isReset = stalled.isReset(100ms);
        }
        CHECK(isReset);
        reading.sendText(R"({"type":"heartbeat","id":2})");
        CHECK_FALSE(reading.textWith(R"("id":2)").empty());
    }

    TEST_CASE(
        "beyond the limit of connections a viewer is closed with 4429, and one that leaves makes room") {
        LocalServerSettings settings;
        settings.maxConnections = 2;
        const Bench bench(settings);
        {
            Wire first = bench.enter();
            Wire second = bench.enter();
            Wire third = bench.open();
            CHECK(third.closeCode() == 4429);
            second.sendFrame(8, std::string("\x03\xe8", 2));
            CHECK(second.closeCode() == 1000);
            Wire fourth = bench.enter();
        }
    }

    TEST_CASE("who never says who they are cannot keep out who does") {
        LocalServerSettings settings;
        settings.maxConnections = 3;
        const Bench bench(settings);
        Wire oldest = bench.open();
        std::vector<Wire> silent;
        for (int i = 0; i < 2; ++i) silent.push_back(bench.open());
        Wire first = bench.enter();
        CHECK(oldest.closeCode() == 4429);
        Wire second = bench.enter();
        Wire third = bench.enter();
        first.sendText(R"({"type":"heartbeat","id":5})");
        CHECK(first.textWith(R"("heartbeat")").find(R"("id":5)") != std::string::npos);
    }

    TEST_CASE("of two that wait for the last place the one with the first good token has it") {
        LocalServerSettings settings;
        settings.maxConnections = 2;
        const Bench bench(settings);
        Wire inside = bench.enter();
        Wire slow = bench.open();
        Wire quick = bench.open();
        quick.sendText(R"({"type":"auth","token":"secret","features":[]})");
        CHECK_FALSE(quick.textWith(R"("authenticated")").empty());
        slow.sendText(R"({"type":"auth","token":"secret","features":[]})");
        CHECK(slow.closeCode() == 4429);
        quick.sendText(R"({"type":"heartbeat","id":5})");
        CHECK(quick.textWith(R"("heartbeat")").find(R"("id":5)") != std::string::npos);
    }

    TEST_CASE("sockets that ask for nothing give way, the oldest first, and viewers stay") {
        LocalServerSettings settings;
        settings.maxConnections = 2;
        const Bench bench(settings);
        Wire viewer = bench.enter();
        std::vector<Wire> idle;
        for (int i = 0; i < 120; ++i) idle.push_back(bench.dial());
        Wire late = bench.enter();
        CHECK(idle.front().readAll().empty());
        viewer.sendText(R"({"type":"heartbeat","id":5})");
        CHECK(viewer.textWith(R"("heartbeat")").find(R"("id":5)") != std::string::npos);
    }

    TEST_CASE("a viewer that comes while the process is out of descriptors is served when there are some") {
        const Bench bench;
        rlimit usual{};
        REQUIRE(getrlimit(RLIMIT_NOFILE, &usual) == 0);
        const int lowestFree = dup(STDERR_FILENO);
        close(lowestFree);
        rlimit tight = usual;
        tight.rlim_cur = static_cast<rlim_t>(lowestFree) + 1;
        REQUIRE(setrlimit(RLIMIT_NOFILE, &tight) == 0);
        Wire viewer = bench.dial();  // takes the last one
        viewer.askUpgrade();
        CHECK_FALSE(viewer.answersWithin(300ms));
        REQUIRE(setrlimit(RLIMIT_NOFILE, &usual) == 0);
        CHECK(viewer.readHead().starts_with("HTTP/1.1 101"));
    }

    TEST_CASE("the page, its type and its safety headers are served") {
        TempFolder folder;
        std::ofstream(folder.path() + "/index.html") << "<h1>hello</h1>";
        LocalServerSettings settings;
        settings.webRoot = folder.path();
        const Bench bench(settings);
        const std::string page = bench.fetch("GET /");
        CHECK(page.starts_with("HTTP/1.1 200"));
        CHECK(page.ends_with("\r\n\r\n<h1>hello</h1>"));
        for (const char* line :
             {"text/html", "Cache-Control: no-cache\r\n", "Content-Security-Policy: default-src 'self'",
              "X-Frame-Options: DENY\r\n"}) {
            CAPTURE(line);
            CHECK(page.find(line) != std::string::npos);
        }
        const std::string head = bench.fetch("HEAD /");
        CHECK(head.starts_with("HTTP/1.1 200"));
        CHECK(head.find("content-length: 14\r\n") != std::string::npos);
        CHECK(head.ends_with("\r\n\r\n"));
    }

    TEST_CASE("a big file arrives whole") {
        TempFolder folder;
        const std::string content(3'000'000, 'z');
        std::ofstream(folder.path() + "/big.js") << content;
        LocalServerSettings settings;
        settings.webRoot = folder.path();
        const Bench bench(settings);
        CHECK(bench.fetch("GET /big.js").ends_with("\r\n\r\n" + content));
    }

    TEST_CASE("traversal, absent files, other methods and foreign hosts get a clear refusal") {
        TempFolder folder;
        std::ofstream(folder.path() + "/secret.js") << "outside";
        std::filesystem::create_directory(folder.path() + "/root");
        LocalServerSettings settings;
        settings.webRoot = folder.path() + "/root";
        const Bench bench(settings);
        for (const char* path :
             {"/../secret.js", "/%2e%2e/secret.js", "/..%2fsecret.js", "//../secret.js", "/nothing"}) {
            const std::string answer = bench.fetch(std::string("GET ") + path);
            CAPTURE(answer);
            CHECK(answer.find("200 OK") == std::string::npos);
            CHECK(answer.find("outside") == std::string::npos);
        }
        CHECK(bench.fetch("GET /nothing").ends_with("There is nothing here."));
        for (const char* method : {"POST", "PUT", "DELETE", "OPTIONS", "PATCH"}) {
            CAPTURE(method);
            CHECK(bench.fetch(std::string(method) + " /").starts_with("HTTP/1.1 405"));
        }
        CHECK(bench.fetch("GET /", "evil.example").starts_with("HTTP/1.1 403"));
        CHECK(bench.fetch("GET /healthz", "evil.example").starts_with("HTTP/1.1 403"));
    }

    TEST_CASE("health is 200 or 503 with a JSON object") {
        Bench bench;
        const std::string good = bench.fetch("GET /healthz");
        CHECK(good.starts_with("HTTP/1.1 200"));
        CHECK(good.ends_with(R"({"status":"ok"})"));
        bench.healthy = false;
        const std::string bad = bench.fetch("GET /healthz");
        CHECK(bad.starts_with("HTTP/1.1 503"));
        CHECK(bad.ends_with(R"({"status":"bad"})"));
    }

    TEST_CASE("metrics are for who asks on the box itself, or has a token; each sees what it may") {
        LocalServerSettings settings;
        settings.metrics = [](const Grant& grant) {
            return std::string(grant.covers("cam_123") ? "all" : "some");
        };
        const Bench bench(settings);
        const auto ask = [&](const std::string& more, const char* method = "GET") {
            return bench.http(std::string(method) + " /metrics HTTP/1.1\r\nHost: 127.0.0.1\r\n" + more +
                              "Connection: close\r\n\r\n");
        };
        const std::string here = ask("");
        CHECK(here.starts_with("HTTP/1.1 200"));
        CHECK(here.find("Content-Type: text/plain; version=0.0.4") != std::string::npos);
        CHECK(here.ends_with("\r\n\r\nall"));
        CHECK(ask("", "HEAD").ends_with("\r\n\r\n"));
        CHECK(ask("", "POST").starts_with("HTTP/1.1 405"));
        CHECK(ask("Authorization: Bearer secret\r\n").starts_with("HTTP/1.1 200"));
        CHECK(ask("Authorization: Bearer secret\r\nX-Forwarded-For: 192.0.2.1\r\n").ends_with("all"));
        for (const char* refused : {"Authorization: Bearer wrong\r\n", "Authorization: Basic c2VjcmV0\r\n",
                                    "X-Forwarded-For: 192.0.2.1\r\n"}) {
            CAPTURE(refused);
            const std::string answer = ask(refused);
            CHECK(answer.starts_with("HTTP/1.1 401"));
            CHECK(answer.find("WWW-Authenticate: Bearer") != std::string::npos);
            CHECK(answer.ends_with("Metrics need a Bearer token, or to be asked for on the box itself."));
        }
        CHECK(bench.fetch("GET /metrics", "evil.example").starts_with("HTTP/1.1 403"));
    }

    TEST_CASE("a long page of metrics arrives whole; where none are kept there is no such page") {
        LocalServerSettings settings;
        const std::string text(3 << 20, 'm');
        settings.metrics = [&](const Grant& /*grant*/) { return text; };
        const Bench bench(settings);
        const std::string answer = bench.fetch("GET /metrics");
        CHECK(answer.size() > text.size());
        CHECK(answer.ends_with(text));
        CHECK(Bench().fetch("GET /metrics").starts_with("HTTP/1.1 404"));
    }

    TEST_CASE(
        "over TLS a viewer on another implementation enters, talks and leaves; nobody is served plain") {
        const TempFolder folder;
        const Bench bench(overTls(folder.path()));
        CHECK(bench.fetch("GET /healthz").find("HTTP/") == std::string::npos);
        const auto url = "wss://127.0.0.1:" + std::to_string(bench.server->port()) + "/v1/stream";
        auto viewer = NodePeer::run("viewer.mjs", {url, "secret", folder.path() + "/tls-cert.pem"});
        if (!viewer) return;
        const std::string met = viewer->lineWith("code");
        for (const char* part : {"system/authenticated", R"("pong":"hello")", R"("code":1000)"}) {
            CAPTURE(part);
            CHECK(met.find(part) != std::string::npos);
        }
    }

    TEST_CASE("over TLS a long page of metrics arrives whole") {
        const TempFolder folder;
        LocalServerSettings settings = overTls(folder.path());
        settings.metrics = [](const Grant& /*grant*/) { return std::string(3 << 20, 'm'); };
        const Bench bench(settings);
        const auto url = "https://127.0.0.1:" + std::to_string(bench.server->port()) + "/metrics";
        auto client = NodePeer::run("fetch.mjs", {url, folder.path() + "/tls-cert.pem"});
        if (!client) return;
        const std::string got = client->lineWith("status");
        CHECK(got == R"({"status":200,"bytes":3145728,"protocol":"TLSv1.3"})");
    }

    TEST_CASE("handshakes that are garbage, stop half-way or never begin leave no socket behind") {
        const TempFolder folder;
        LocalServerSettings settings = overTls(folder.path());
        settings.maxConnections = 2;  // room for 66 sockets
        const Bench bench(settings);
        const std::string hello("\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
                                11);  // and the rest never comes
        std::vector<Wire> open;
        for (int round = 0; round < 100; ++round) {
            bench.dial().send("GET / HTTP/1.1\r\n\r\n");
            bench.dial().send(std::string(300, '\xff'));
            bench.dial().send(hello);
            Wire gone = bench.dial();
            open.push_back(bench.dial());
            if (round % 2 == 0) open.back().send(hello);
        }
        const auto url = "https://127.0.0.1:" + std::to_string(bench.server->port()) + "/healthz";
        for (int turn = 0; turn < 2; ++turn) {
            auto client = NodePeer::run("fetch.mjs", {url, folder.path() + "/tls-cert.pem"});
            if (!client) return;
            CHECK(client->lineWith("status").find(R"("status":200)") != std::string::npos);
        }
    }

    TEST_CASE("files of TLS that cannot be used keep the server from starting") {
        const TempFolder folder;
        const TempFolder other;
        LocalServerSettings settings = overTls(folder.path());
        settings.tls.keyFile = overTls(other.path()).tls.keyFile;
        FakeClock clock;
        Access access({}, clock);
        PeerExchange exchange({}, 64 << 10, clock);
        GrantingSink sink(exchange);
        settings.port = 0;
        const auto foreign = LocalServer::start(settings, access, exchange, sink, clock, {});
        REQUIRE_FALSE(foreign);
        CHECK(foreign.error().message.find(settings.tls.keyFile) != std::string::npos);
        settings = overTls(folder.path());
        settings.port = 0;
        settings.tls.clientCaFile = "/nowhere/ca.pem";
        const auto lost = LocalServer::start(settings, access, exchange, sink, clock, {});
        REQUIRE_FALSE(lost);
        CHECK(lost.error().message.find("/nowhere/ca.pem") != std::string::npos);
    }

    TEST_CASE("an address in use, and one that is not ours, say so") {
        const Bench bench;
        LocalServerSettings settings;
        settings.port = bench.server->port();
        FakeClock clock;
        Access access({}, clock);
        PeerExchange exchange({}, 64 << 10, clock);
        GrantingSink sink(exchange);
        const auto again = LocalServer::start(settings, access, exchange, sink, clock, {});
        REQUIRE_FALSE(again);
        CHECK(again.error().message.find("in use") != std::string::npos);
        settings.address = "192.0.2.1";
        const auto foreign = LocalServer::start(settings, access, exchange, sink, clock, {});
        REQUIRE_FALSE(foreign);
        CHECK(foreign.error().message.find("not one of this machine") != std::string::npos);
        settings.address = "box.example";
        const auto name = LocalServer::start(settings, access, exchange, sink, clock, {});
        REQUIRE_FALSE(name);
        CHECK(name.error().message.find("numeric") != std::string::npos);
    }

    TEST_CASE("a server that ends says going_away, closes and frees its port") {
        Bench bench;
        Wire viewer = bench.enter();
        Wire silent = bench.open();
        const int port = bench.server->port();
        auto ending = std::async(std::launch::async, [&] { bench.server.reset(); });
        CHECK_FALSE(viewer.textWith(R"("going_away")").empty());
        CHECK(viewer.closeCode() == 1001);
        CHECK(ending.wait_for(3s) == std::future_status::ready);
        LocalServerSettings settings;
        settings.port = port;
        CHECK(LocalServer::start(settings, bench.access, bench.exchange, bench.sink, bench.clock, {}));
    }
}
