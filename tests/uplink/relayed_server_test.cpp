// The local server in a process of its own, as the agent's side sees it: what is published, granted and asked
// crosses, and that process may go.
#include "uplink/relayed_server.hpp"

#include <doctest/doctest.h>
#include <unistd.h>

#include <atomic>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <thread>
#include <vector>

#include "tests/support/emulated.hpp"
#include "tests/uplink/local_server_bench.hpp"
#include "tests/uplink/wire.hpp"

using namespace std::chrono_literals;
using namespace edgecam;
using namespace edgecam::uplink;
using edgecam::test::agentWithCamera;
using edgecam::test::GrantingSink;
using edgecam::test::kChannel;
using edgecam::test::kRendition;
using edgecam::test::Wire;

namespace {

/// The program; Meson tells of it.
std::string viewersProgram() {
    const char* path = std::getenv("EDGECAM_VIEWERS_PROGRAM");
    return path != nullptr ? path : "";
}

/// Time is real here: the other process has a clock of its own.
struct Relayed {
    SystemClock clock;
    Access access{
        {.tokens = {TokenRule::of("secret", Role::operator_), TokenRule::of("other", Role::viewer)}}, clock};
    PeerExchange exchange{agentWithCamera(), 64 << 10, clock};
    GrantingSink sink{exchange};
    SessionRegistry registry;
    std::atomic<int> denials{0};
    std::unique_ptr<LocalServer> server;

    Relayed() {
        REQUIRE_MESSAGE(!viewersProgram().empty(), "EDGECAM_VIEWERS_PROGRAM names no program");
        LocalServerSettings settings;
        settings.port = 0;
        settings.origin.registry = &registry;
        settings.metrics = [](const Grant& grant) {
            return std::string("figures of ") + nameOf(grant.role) + "\n";
        };
        settings.denied = [this](Denial) { ++denials; };
        auto started = startRelayedServer(settings, {.path = viewersProgram(), .arguments = {}}, access,
                                          exchange, sink, clock, [] {
                                              return LocalServer::Health{true, R"({"ok":true})"};
                                          });
        REQUIRE_MESSAGE(started, (started ? "" : started.error().message));
        server = *std::move(started);
    }
    [[nodiscard]] Wire enter(const char* token = "secret") const {
        Wire wire = Wire::dial(server->port());
        const std::string head = wire.upgrade();
        REQUIRE_MESSAGE(head.starts_with("HTTP/1.1 101"), head);
        wire.sendText(std::string(R"({"type":"auth","features":[],"token":")") + token + "\"}");
        REQUIRE_FALSE(wire.textWith(R"("authenticated")").empty());
        return wire;
    }
    [[nodiscard]] std::string fetch(const std::string& path) const {
        Wire wire = Wire::dial(server->port());
        wire.send("GET " + path + " HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n");
        return wire.readAll();
    }
    /// Waits for what another thread does, with a deadline.
    template <class Holds>
    static bool soon(Holds holds) {
        for (int turn = 0; turn < 1000 && !holds(); ++turn) std::this_thread::sleep_for(10ms);
        return holds();
    }
};

pid_t childOf(pid_t parent) {
    std::ifstream children("/proc/" + std::to_string(parent) + "/task/" + std::to_string(parent) +
                           "/children");
    pid_t child = 0;
    children >> child;
    return child;
}

Chunk picture(std::uint32_t sequence, ChunkKind kind) {
    Chunk chunk;
    chunk.rendition = kRendition;
    chunk.channel = kChannel;
    chunk.kind = kind;
    chunk.keyFrame = true;
    chunk.sequence = sequence;
    chunk.payload = share(ByteBuffer(100'000, 7));
    auto format = std::make_shared<StreamFormat>();
    format->codecString = "avc1.64001f";
    chunk.format = std::move(format);
    return chunk;
}

bool getsBytes(Wire& wire) {
    while (const auto frame = wire.nextFrame()) {
        if (frame->opcode == 2) return true;
        if (frame->opcode == 8) return false;
    }
    return false;
}

}  // namespace

TEST_SUITE("relayed server") {
    TEST_CASE("what is published, granted and asked crosses both ways") {
        if (edgecam::test::lacks("way to start a program of its own kind")) return;
        Relayed relayed;
        Wire viewer = relayed.enter();
        viewer.sendText(R"({"type":"stream_control","action":"start","camera_id":"cam_123","id":1})");
        CHECK_FALSE(viewer.textWith(R"("stream_status")").empty());
        relayed.exchange.publish(picture(0, ChunkKind::initSegment));
        relayed.exchange.publish(picture(1, ChunkKind::accessUnit));
        CHECK(getsBytes(viewer));
        CameraStatus status{.cameraId = "cam_123", .state = CameraState::error, .reason = "unplugged"};
        relayed.exchange.publish(status);
        CHECK_FALSE(viewer.textWith("unplugged").empty());
        CHECK(relayed.fetch("/healthz").find(R"({"ok":true})") != std::string::npos);
        CHECK(relayed.fetch("/metrics").find("figures of viewer") != std::string::npos);
        CHECK(Relayed::soon([&] { return relayed.registry.list().size() == 1; }));
        CHECK(relayed.registry.list().front().address == "127.0.0.1");
    }

    TEST_CASE("rules that change hold over there, and who guesses is counted here") {
        if (edgecam::test::lacks("way to start a program of its own kind")) return;
        Relayed relayed;
        Wire stays = relayed.enter("other");
        Wire goes = relayed.enter("secret");
        relayed.access.replace({TokenRule::of("other", Role::viewer)}, {});
        CHECK(goes.closeCode() == 4411);
        Wire wrong = Wire::dial(relayed.server->port());
        (void)wrong.upgrade();
        wrong.sendText(R"({"type":"auth","token":"secret","features":[]})");
        CHECK(wrong.closeCode() == 4401);
        CHECK(Relayed::soon([&] { return relayed.denials > 0; }));
        stays.sendText(R"({"type":"heartbeat","id":5})");
        CHECK_FALSE(stays.textWith(R"("id":5)").empty());
    }

    TEST_CASE("a session that is to go, by whoever sees it here, goes there") {
        if (edgecam::test::lacks("way to start a program of its own kind")) return;
        Relayed relayed;
        Wire viewer = relayed.enter();
        REQUIRE(Relayed::soon([&] { return !relayed.registry.list().empty(); }));
        CHECK(relayed.registry.end(relayed.registry.list().front().id, {4411, "ended by an administrator"}));
        CHECK(viewer.closeCode() == 4411);
        CHECK(Relayed::soon([&] { return relayed.registry.list().empty(); }));
    }

    TEST_CASE("that process may go: it comes again, on the same port, and knows how everything stands") {
        if (edgecam::test::lacks("way to start a program of its own kind")) return;
        Relayed relayed;
        Wire viewer = relayed.enter();
        const pid_t first = childOf(getpid());
        REQUIRE(first > 0);
        relayed.exchange.publish(
            CameraStatus{.cameraId = "cam_123", .state = CameraState::error, .reason = "gone"});
        CHECK_FALSE(viewer.textWith("gone").empty());
        kill(first, SIGKILL);
        CHECK(viewer.closeCode() == 1006);
        Wire again = relayed.enter();  // waits in the queue of the port, which the agent holds
        again.sendText(R"({"type":"status","id":1})");
        CHECK_FALSE(again.textWith("gone").empty());
        CHECK(childOf(getpid()) != first);
        CHECK(Relayed::soon([&] { return relayed.registry.list().size() == 1; }));
    }

    TEST_CASE("a program that is not there, ends at once or is another is told") {
        if (edgecam::test::lacks("way to start a program of its own kind")) return;
        const SystemClock clock;
        Access access({}, clock);
        PeerExchange exchange({}, 64 << 10, clock);
        GrantingSink sink(exchange);
        LocalServerSettings settings;
        settings.port = 0;
        const auto why = [&](const char* path) {
            const auto started = startRelayedServer(settings, {.path = path, .arguments = {}}, access,
                                                    exchange, sink, clock, {});
            return started ? "it serves" : started.error().message;
        };
        CHECK(why("/nowhere/edgecam").find("/nowhere/edgecam") != std::string::npos);
        CHECK(why("/bin/false").find("ended with status 1") != std::string::npos);
        settings.allowedHosts = {"host"};
        settings.tls.certificateFile = "/nowhere/cert.pem";
        settings.tls.keyFile = "/nowhere/key.pem";
        CHECK(why(viewersProgram().c_str()).find("/nowhere/cert.pem") != std::string::npos);
    }
}
