#include "uplink/uplink_client.hpp"

#include <doctest/doctest.h>
#include <glib.h>

#include <algorithm>
#include <condition_variable>
#include <future>
#include <mutex>
#include <string>
#include <vector>

#include "base/log.hpp"
#include "tests/support/emulated.hpp"
#include "tests/support/fake_clock.hpp"
#include "tests/support/temp_folder.hpp"
#include "tests/uplink/node_peer.hpp"
#include "tests/uplink/wire.hpp"
#include "uplink/hub_url.hpp"
#include "uplink/own_certificate.hpp"

using namespace std::chrono_literals;
using namespace edgecam;
using namespace edgecam::uplink;
using edgecam::test::FakeClock;
using edgecam::test::Listener;
using edgecam::test::NodePeer;
using edgecam::test::TempFolder;
using edgecam::test::Wire;

namespace {

constexpr const char* kWelcome = R"({"type":"system","event":"authenticated","data":{"features":[]}})";

/// Grants every start at once, with nothing cached, and ignores the rest.
struct GrantingSink final : CommandSink {
    explicit GrantingSink(PeerExchange& to) : exchange(to) {}
    void submit(const Command& command) override {
        if (!std::holds_alternative<StartStream>(command.action)) return;
        StreamGrant grant;
        grant.rendition = 1;
        exchange.complete(command.session, command.ticket, grant);
    }
    void sessionEnded(SessionId /*session*/) override {}

    PeerExchange& exchange;
};

/// Everything an uplink said of itself, in order.
class StatusLog {
  public:
    void add(const UplinkStatus& status) {
        {
            const std::lock_guard lock(mutex_);
            said_.push_back(status);
        }
        added_.notify_all();
    }
    /// The first status in this state not given before; the last one, whatever it is, when none comes in
    /// time.
    UplinkStatus next(UplinkState state) {
        std::unique_lock lock(mutex_);
        UplinkStatus found;
        added_.wait_for(lock, 15s, [&] {
            while (read_ < said_.size()) {
                found = said_[read_++];
                if (found.state == state) return true;
            }
            return false;
        });
        return found;
    }

  private:
    std::mutex mutex_;
    std::condition_variable added_;
    std::vector<UplinkStatus> said_;
    std::size_t read_ = 0;
};

std::string urlOf(int port, const std::string& scheme = "ws") {
    return concat(scheme, "://127.0.0.1:", port, "/v1/stream");
}

std::shared_ptr<Endpoints> endpointsAt(const std::vector<std::string>& urls, double chance = 0) {
    std::vector<HubUrl> hubs;
    for (const std::string& url : urls) {
        const auto parsed = parseHubUrl(url);
        REQUIRE(parsed);
        hubs.push_back(*parsed);
    }
    return std::make_shared<Endpoints>(std::move(hubs), [chance] { return chance; });
}

/// An uplink whose clock only moves when a test moves it and whose jitter is the whole limit.
struct Bench {
    FakeClock clock;
    AgentView agent;
    PeerExchange exchange;
    GrantingSink sink{exchange};
    StatusLog log;
    std::unique_ptr<UplinkClient> client;

    static AgentView agentNamed(const char* id) {
        AgentView view;
        view.agentId = id;
        view.cameras["cam_123"] = {.cameraId = "cam_123", .state = CameraState::live};
        return view;
    }
    Bench() : exchange(agentNamed("box-7"), 16 << 10, clock) {}

    void start(UplinkSettings settings) {
        settings.hub.token = "hub-secret";
        if (!settings.chance) settings.chance = [] { return 1.0; };
        auto started = UplinkClient::start(std::move(settings), exchange, sink, clock,
                                           [this](const UplinkStatus& status) { log.add(status); });
        REQUIRE_MESSAGE(started, (started ? "" : started.error().message));
        client = std::move(*started);
    }
    void start(const std::string& url) {
        UplinkSettings settings;
        settings.endpoints = endpointsAt({url});
        start(std::move(settings));
    }
};

Wire accept(Listener& hub) {
    auto agent = hub.accept();
    REQUIRE(agent);
    return std::move(*agent);
}

/// Shakes hands and lets the agent in.
Wire welcome(Listener& hub) {
    Wire agent = accept(hub);
    agent.acceptUpgrade();
    REQUIRE_FALSE(agent.textWith(R"("auth")").empty());
    agent.sendText(kWelcome);
    return agent;
}

Chunk videoOf(ChunkKind kind, std::uint32_t sequence, std::size_t bytes) {
    Chunk chunk;
    chunk.kind = kind;
    chunk.rendition = 1;
    chunk.channel = 1;
    chunk.keyFrame = kind == ChunkKind::accessUnit;
    chunk.sequence = sequence;
    chunk.payload = share(ByteBuffer(bytes, 7));
    chunk.format = std::make_shared<StreamFormat>();
    return chunk;
}

/// Lets video flow to the hub, and publishes so much of it that the most has to wait in the agent.
void flood(Bench& bench, Wire& agent) {
    agent.sendText(R"({"type":"stream_control","action":"start","camera_id":"cam_123","id":1})");
    REQUIRE_FALSE(agent.textWith(R"("id":1)").empty());
    bench.exchange.publish(videoOf(ChunkKind::initSegment, 0, 500));
    bench.exchange.publish(videoOf(ChunkKind::accessUnit, 1, 7 << 20));
    for (auto frame = agent.nextFrame(); frame && frame->opcode != 2;) frame = agent.nextFrame();
}

/// A key and a self-signed certificate for `name` (as subjectAltName has it) in PEM files; empty without
/// openssl.
struct Certificate {
    std::string certificate;
    std::string key;
};
std::optional<Certificate> selfSigned(const std::string& folder, const std::string& name) {
    const Certificate made{folder + "/" + name.substr(name.find(':') + 1) + ".pem", folder + "/key.pem"};
    const std::string line = concat(
        "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 ",
        "-subj /CN=hub -addext subjectAltName=", name, " -keyout ", made.key, " -out ", made.certificate);
    int status = -1;
    gchar* errors = nullptr;
    const bool ran = g_spawn_command_line_sync(line.c_str(), nullptr, &errors, &status, nullptr) != 0;
    g_free(errors);
    if (ran && status == 0) return made;
    MESSAGE("skipped: openssl made no certificate");
    return std::nullopt;
}

int portIn(const std::string& line) {
    const auto at = line.find(R"("port":)");
    return at == std::string::npos ? 0 : std::stoi(line.substr(at + 7));
}

}  // namespace

TEST_SUITE("uplink client") {
    TEST_CASE("it dials the hub, proves who it is, and is live when the hub has said so") {
        Listener hub;
        Bench bench;
        bench.start(urlOf(hub.port()));
        Wire agent = accept(hub);
        const std::string request = agent.acceptUpgrade("Sec-WebSocket-Protocol: edgecam.v1\r\n");
        CHECK(request.starts_with("GET /v1/stream HTTP/1.1\r\n"));
        CHECK(request.find(concat("Host: 127.0.0.1:", hub.port(), "\r\n")) != std::string::npos);
        CHECK(request.find("Sec-WebSocket-Protocol: edgecam.v1\r\n") != std::string::npos);
        CHECK(request.find("Extensions") == std::string::npos);
        CHECK(request.find("hub-secret") == std::string::npos);
        const std::string auth = agent.textWith(R"("auth")");
        CHECK(auth.find(R"("token":"hub-secret")") != std::string::npos);
        CHECK(auth.find(R"("agent_id":"box-7")") != std::string::npos);
        CHECK(bench.log.next(UplinkState::authenticating).state == UplinkState::authenticating);
        agent.sendText(kWelcome);
        const auto live = bench.log.next(UplinkState::live);
        CHECK(live.state == UplinkState::live);
        CHECK(live.attempts == 1);
        CHECK(live.reason.empty());
        agent.sendText(R"({"type":"heartbeat","id":3})");
        CHECK_FALSE(agent.textWith(R"("id":3)").empty());
    }

    TEST_CASE("what its sockets carry counts for the plan, of a hub that refuses the handshake as well") {
        if (edgecam::test::lacks("TCP_INFO")) return;
        Listener hub;
        DataPlan plan(1'000'000);
        Bench bench;
        UplinkSettings settings;
        settings.endpoints = endpointsAt({urlOf(hub.port())});
        settings.plan = &plan;
        bench.start(std::move(settings));
        const std::string refusal = "HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n";
        std::size_t asked = 0;
        {
            Wire agent = accept(hub);
            asked = agent.readHead().size();
            agent.send(refusal);
            bench.clock.advance(bench.log.next(UplinkState::backingOff).retryIn);
        }
        const std::uint64_t refused = plan.figures().usedBytes;
        CHECK(refused >= asked + refusal.size());
        CHECK(refused <= asked + refusal.size() + 2);  // the kernel counts SYN and FIN as a byte

        {
            Wire agent = welcome(hub);
            REQUIRE(bench.log.next(UplinkState::live).state == UplinkState::live);
            agent.sendText(R"({"type":"heartbeat","id":1,"more":")" + std::string(5000, 'x') + R"("})");
            REQUIRE_FALSE(agent.textWith(R"("id":1)").empty());
        }
        REQUIRE(bench.log.next(UplinkState::backingOff).state == UplinkState::backingOff);
        // The handshake again, auth, status and an answer.
        CHECK(plan.figures().usedBytes > 2 * refused + 5000);
        CHECK(plan.figures().usedBytes < 2 * refused + 7000);
    }

    TEST_CASE("when the hub dies it dials again, and a healthy connection is followed by a quick try") {
        Listener hub;
        Bench bench;
        bench.start(urlOf(hub.port()));
        {
            const Wire agent = welcome(hub);
            REQUIRE(bench.log.next(UplinkState::live).state == UplinkState::live);
            bench.clock.advance(31s);
        }
        const auto lost = bench.log.next(UplinkState::backingOff);
        CHECK(lost.retryIn == 3s);
        CHECK(lost.retryAt == bench.clock.utc() + 3s);
        CHECK_FALSE(lost.reason.empty());
        bench.clock.advance(3s);
        Wire agent = welcome(hub);
        CHECK(bench.log.next(UplinkState::live).attempts == 2);
    }

    TEST_CASE("a hub that is not there is dialled again and again, later each time") {
        int port = 0;
        {
            const Listener gone;
            port = gone.port();
        }
        Bench bench;
        bench.start(urlOf(port));
        for (const Microseconds delay :
             {Microseconds(500ms), Microseconds(1s), Microseconds(2s), Microseconds(4s)}) {
            const auto status = bench.log.next(UplinkState::backingOff);
            CHECK(status.retryIn == delay);
            CHECK_FALSE(status.reason.empty());
            bench.clock.advance(delay);
        }
        CHECK(bench.log.next(UplinkState::backingOff).attempts == 5);
    }

    TEST_CASE("a hub that never answers the auth is left with 4408 and dialled again") {
        Listener hub;
        Bench bench;
        bench.start(urlOf(hub.port()));
        Wire agent = accept(hub);
        agent.acceptUpgrade();
        REQUIRE_FALSE(agent.textWith(R"("auth")").empty());
        REQUIRE(bench.log.next(UplinkState::authenticating).state == UplinkState::authenticating);
        bench.clock.advance(10s);
        CHECK(agent.closeCode() == 4408);
        const auto status = bench.log.next(UplinkState::backingOff);
        CHECK(status.reason.find("4408") != std::string::npos);
        bench.clock.advance(status.retryIn);
        CHECK(hub.accept());
    }

    TEST_CASE("a hub that refuses the token is asked again after the maximum only") {
        Listener hub;
        Bench bench;
        bench.start(urlOf(hub.port()));
        Wire agent = accept(hub);
        agent.acceptUpgrade();
        REQUIRE_FALSE(agent.textWith(R"("auth")").empty());
        agent.sendFrame(8, std::string("\x11\x31", 2) + "who are you");
        const auto status = bench.log.next(UplinkState::rejected);
        CHECK(status.state == UplinkState::rejected);
        CHECK(status.retryIn == 60s);
        CHECK(status.reason.find(R"(4401 "who are you")") != std::string::npos);
    }

    TEST_CASE(
        "a handshake answered with 401 is a rejection, another answer is not, and a redirect is not "
        "followed") {
        Listener hub;
        Listener elsewhere;
        Bench bench;
        bench.start(urlOf(hub.port()));
        const auto answer = [&](const std::string& head) {
            Wire agent = accept(hub);
            agent.readHead();
            agent.send(head + "Content-Length: 0\r\n\r\n");
        };
        answer("HTTP/1.1 503 Service Unavailable\r\n");
        auto status = bench.log.next(UplinkState::backingOff);
        CHECK(status.reason.find("503") != std::string::npos);
        bench.clock.advance(status.retryIn);
        answer(concat("HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:", elsewhere.port(), "/\r\n"));
        status = bench.log.next(UplinkState::backingOff);
        CHECK(status.reason.find("302") != std::string::npos);
        CHECK_FALSE(elsewhere.accept(0ms));
        bench.clock.advance(status.retryIn);
        answer("HTTP/1.1 401 Unauthorized\r\n");
        status = bench.log.next(UplinkState::rejected);
        CHECK(status.retryIn == 60s);
        CHECK(status.reason.find("401") != std::string::npos);
    }

    TEST_CASE("a hub that falls silent is dead after its time") {
        Listener hub;
        Bench bench;
        UplinkSettings settings;
        settings.endpoints = endpointsAt({urlOf(hub.port())});
        settings.pingAfter = 1s;
        settings.deadAfter = 2s;
        bench.start(std::move(settings));
        Wire agent = welcome(hub);
        REQUIRE(bench.log.next(UplinkState::live).state == UplinkState::live);
        int pings = 0;
        while (const auto frame = agent.nextFrame()) {
            if (frame->opcode != 9) continue;
            ++pings;
            bench.clock.advance(2s);  // libwebsockets counts by a clock of its own
        }
        CHECK(pings == 1);
        const auto dead = bench.log.next(UplinkState::backingOff);
        CHECK(dead.state == UplinkState::backingOff);
        CHECK(dead.reason == "1006 nothing was heard of the hub for 2 s");
    }

    TEST_CASE("any received byte is life") {
        Listener hub;
        Bench bench;
        UplinkSettings settings;
        settings.endpoints = endpointsAt({urlOf(hub.port())});
        settings.pingAfter = 1s;
        settings.deadAfter = 2s;
        bench.start(std::move(settings));
        Wire agent = welcome(hub);
        for (int pings = 0; pings < 3;) {
            const auto frame = agent.nextFrame();
            REQUIRE(frame);
            if (frame->opcode != 9) continue;
            ++pings;
            agent.sendText(R"({"type":"heartbeat"})");  // and no pong
        }
        agent.sendText(R"({"type":"heartbeat","id":8})");
        CHECK_FALSE(agent.textWith(R"("id":8)").empty());
    }

    TEST_CASE("an event goes before the video that waits, which then goes on") {
        Listener hub;
        Bench bench;
        bench.start(urlOf(hub.port()));
        Wire agent = welcome(hub);
        flood(bench, agent);
        FaceEvent event;
        event.cameraId = "cam_123";
        event.eventId = "urgent";
        bench.exchange.publish(event);
        std::size_t before = 0;
        std::size_t after = 0;
        std::size_t largest = 0;
        bool came = false;
        while (before + after < 7 << 20) {
            const auto frame = agent.nextFrame();
            REQUIRE(frame);
            came = came || frame->payload.find("urgent") != std::string::npos;
            if (frame->opcode != 2) continue;
            (came ? after : before) += frame->payload.size() - 32;
            largest = std::max(largest, frame->payload.size() - 32);
        }
        CHECK(came);
        CHECK(after > 1 << 20);
        CHECK(largest <= 16 << 10);
    }

    TEST_CASE("a hub that takes nothing is not let go before it would be dead") {
        Listener hub;
        Bench bench;
        bench.start(urlOf(hub.port()));
        Wire agent = welcome(hub);
        flood(bench, agent);
        REQUIRE(bench.log.next(UplinkState::live).state == UplinkState::live);
        CHECK_FALSE(hub.accept(300ms));  // until what the hub's kernel takes unread is in
        bench.clock.advance(25s);
        CHECK_FALSE(hub.accept(300ms));  // no new connection: the old one goes on
        bool dialledAgain = false;
        for (int second = 0; second < 300 && !dialledAgain; ++second) {
            bench.clock.advance(1s);
            dialledAgain = hub.accept(100ms).has_value();
        }
        CHECK(dialledAgain);
        const auto status = bench.log.next(UplinkState::backingOff);
        CHECK(status.reason.find("4410") != std::string::npos);
    }

    TEST_CASE("an uplink that ends says going_away and closes with 1001") {
        Listener hub;
        Bench bench;
        bench.start(urlOf(hub.port()));
        Wire agent = welcome(hub);
        REQUIRE(bench.log.next(UplinkState::live).state == UplinkState::live);
        auto ending = std::async(std::launch::async, [&] { bench.client.reset(); });
        CHECK_FALSE(agent.textWith(R"("going_away")").empty());
        CHECK(agent.closeCode() == 1001);
        CHECK(ending.wait_for(3s) == std::future_status::ready);
    }

    TEST_CASE("an uplink ends while it connects, waits or backs off") {
        Listener hub;
        Bench connecting;
        connecting.start(urlOf(hub.port()));
        const Wire agent = accept(hub);
        connecting.client.reset();
        Bench waiting;
        waiting.start("ws://127.0.0.1:1/");
        REQUIRE(waiting.log.next(UplinkState::backingOff).state == UplinkState::backingOff);
        waiting.client.reset();
    }

    TEST_CASE("a hub on another implementation: subprotocol, binary, ping, a kill and a return") {
        auto hub = NodePeer::run("hub.mjs", {});
        if (!hub) return;
        Bench bench;
        bench.start(urlOf(portIn(hub->lineWith("listening"))));
        const std::string connected = hub->lineWith("connected");
        CHECK(connected.find(R"("protocol":"edgecam.v1")") != std::string::npos);
        CHECK(connected.find(R"("extensions":"")") != std::string::npos);
        CHECK_FALSE(hub->lineWith(R"("type":"auth")").empty());
        CHECK(bench.log.next(UplinkState::live).state == UplinkState::live);
        CHECK(hub->lineWith("pong").find("are you there") != std::string::npos);
        hub->kill();
        CHECK(bench.log.next(UplinkState::backingOff).retryIn == 500ms);
    }

    TEST_CASE("a certificate that nobody vouches for is refused, and accepted with its authority") {
        const TempFolder folder;
        const auto made = selfSigned(folder.path(), "IP:127.0.0.1");
        if (!made) return;
        auto hub = NodePeer::run("hub.mjs", {made->certificate, made->key});
        if (!hub) return;
        UplinkSettings settings;
        settings.endpoints = endpointsAt({urlOf(portIn(hub->lineWith("listening")), "wss")});
        Bench wary;
        wary.start(settings);
        const auto status = wary.log.next(UplinkState::backingOff);
        CHECK(status.reason.find("certificate") != std::string::npos);
        CHECK(status.reason.find("self-signed") != std::string::npos);
        wary.client.reset();
        settings.caFile = made->certificate;
        Bench trusting;
        trusting.start(settings);
        CHECK(trusting.log.next(UplinkState::live).state == UplinkState::live);
    }

    TEST_CASE("a trusted certificate for another name is refused") {
        const TempFolder folder;
        const auto made = selfSigned(folder.path(), "DNS:hub.example");
        if (!made) return;
        auto hub = NodePeer::run("hub.mjs", {made->certificate, made->key});
        if (!hub) return;
        UplinkSettings settings;
        settings.endpoints = endpointsAt({urlOf(portIn(hub->lineWith("listening")), "wss")});
        settings.caFile = made->certificate;
        Bench bench;
        bench.start(settings);
        const auto status = bench.log.next(UplinkState::backingOff);
        CHECK(status.reason.find("mismatch") != std::string::npos);
    }

    TEST_CASE("when a hub is away the next one is dialled, without waiting long") {
        Listener hub;
        Bench bench;
        UplinkSettings settings;
        settings.endpoints = endpointsAt({"ws://127.0.0.1:1/", urlOf(hub.port())});
        settings.firstDelay = 30s;
        bench.start(settings);
        const auto lost = bench.log.next(UplinkState::backingOff);
        CHECK(lost.url == "ws://127.0.0.1:1/");
        CHECK(lost.retryIn == 30s);
        bench.clock.advance(31s);
        Wire agent = welcome(hub);
        CHECK(bench.log.next(UplinkState::live).url == urlOf(hub.port()));
    }

    TEST_CASE("a hub that goes away is left alone as long as it asks, and up to as long again") {
        Listener hub;
        Bench bench;
        bench.start(urlOf(hub.port()));
        {
            Wire agent = welcome(hub);
            bench.log.next(UplinkState::live);
            agent.sendText(R"({"type":"system","event":"going_away","data":{"retry_after_s":100}})");
            agent.sendText(R"({"type":"heartbeat","id":1})");
            REQUIRE_FALSE(agent.textWith(R"("heartbeat")").empty());
        }
        const auto status = bench.log.next(UplinkState::backingOff);
        CHECK(status.retryIn == 200s);  // the jitter of this bench is the whole limit
    }

    TEST_CASE("a URL, a CA file or a certificate that makes no sense is an error at once") {
        Bench bench;
        for (const std::string url :
             {"", "hub", "http://hub/", "ws://", "wss:///path", "ws://user:secret@hub/", "ws://hub/#part",
              "ws://hub:0/", "ws://hub:99999/", "ws://h ub/"}) {
            CAPTURE(url);
            const auto parsed = parseHubUrl(url);
            REQUIRE_FALSE(parsed);
            CHECK(parsed.error().message.find("secret") == std::string::npos);
        }
        UplinkSettings settings;
        settings.endpoints = endpointsAt({"wss://hub/"});
        settings.caFile = "/nowhere/ca.pem";
        const auto started = UplinkClient::start(settings, bench.exchange, bench.sink, bench.clock, {});
        REQUIRE_FALSE(started);
        CHECK(started.error().message.find("CA file") != std::string::npos);
        const TempFolder one;
        const TempFolder other;
        settings.caFile.clear();
        settings.tls.certificateFile = ownCertificate(one.path(), "box", "*")->certificateFile;
        settings.tls.keyFile = ownCertificate(other.path(), "box", "*")->keyFile;
        const auto unfit = UplinkClient::start(settings, bench.exchange, bench.sink, bench.clock, {});
        REQUIRE_FALSE(unfit);
        CHECK(unfit.error().message.find("is not the key of the certificate") != std::string::npos);
    }

    TEST_CASE("a hub's URL is read with the usual ports, and shown without its query") {
        const auto plain = parseHubUrl("ws://hub.example");
        REQUIRE(plain);
        CHECK(plain->host == "hub.example");
        CHECK(plain->port == 80);
        CHECK(plain->path == "/");
        CHECK(plain->authority() == "hub.example");
        const auto secure = parseHubUrl("wss://[::1]:8443/in/box?key=secret");
        REQUIRE(secure);
        CHECK(secure->secure);
        CHECK(secure->host == "::1");
        CHECK(secure->port == 8443);
        CHECK(secure->path == "/in/box?key=secret");
        CHECK(secure->authority() == "[::1]:8443");
        CHECK(secure->shown == "wss://[::1]:8443/in/box");
    }

    TEST_CASE("a URL that is none is not quoted") {
        for (const char* text :
             {"ws://me:hush@hub.example:70000x/", "ws://me:hush@[::1/", "hush", "ws://h/%zhush"}) {
            const auto url = parseHubUrl(text);
            REQUIRE_FALSE(url);
            CHECK(url.error().message.find("hush") == std::string::npos);
        }
    }

    TEST_CASE("a hub's reason to close cannot write lines of its own") {
        Listener hub;
        Bench bench;
        bench.start(urlOf(hub.port()));
        Wire agent = welcome(hub);
        agent.sendFrame(8, "\x0f\xa0 bye\n<3>edgecam: \x1b[2J" + std::string(90, 'x'));
        const std::string reason = bench.log.next(UplinkState::backingOff).reason;
        CHECK(reason.find("\" bye?<3>edgecam: ?[2Jxx") != std::string::npos);
        CHECK(reason.ends_with("x\""));
    }
}
