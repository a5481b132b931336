// ServerBench: a local server with one camera on a free port of loopback, and the ways to call on it.
#pragma once

#include <doctest/doctest.h>

#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <utility>

#include "tests/support/fake_clock.hpp"
#include "tests/uplink/wire.hpp"
#include "uplink/local_server.hpp"

namespace edgecam::test {

using namespace edgecam::uplink;

inline constexpr RenditionId kRendition = 1;
inline constexpr std::uint16_t kChannel = 1;

/// Grants every start at once, with nothing cached.
class GrantingSink final : public CommandSink {
  public:
    explicit GrantingSink(PeerExchange& exchange) : exchange_(exchange) {}
    void submit(const Command& command) override {
        if (!std::holds_alternative<StartStream>(command.action)) {
            exchange_.complete(command.session, command.ticket, Done{});
            return;
        }
        StreamGrant grant;
        grant.rendition = kRendition;
        exchange_.complete(command.session, command.ticket, grant);
    }
    void sessionEnded(SessionId /*session*/) override {}

  private:
    PeerExchange& exchange_;
};

inline AgentView agentWithCamera() {
    AgentView agent;
    agent.agentId = "box";
    CameraStatus camera;
    camera.cameraId = "cam_123";
    camera.state = CameraState::live;
    agent.cameras["cam_123"] = camera;
    return agent;
}

/// A server on a free port whose clock only moves when a test moves it.
struct ServerBench {
    FakeClock clock;
    Access access{{.tokens = {TokenRule::of("secret", Role::operator_)}}, clock};
    PeerExchange exchange{agentWithCamera(), 64 << 10, clock};
    GrantingSink sink{exchange};
    bool healthy = true;
    std::unique_ptr<LocalServer> server;
    std::mutex mutex;
    std::map<Denial, int> denials;

    explicit ServerBench(LocalServerSettings settings = {}) {
        settings.port = 0;
        settings.denied = [this](Denial why) {
            const std::lock_guard lock(mutex);
            ++denials[why];
        };
        auto started = LocalServer::start(std::move(settings), access, exchange, sink, clock, [this] {
            return LocalServer::Health{healthy, healthy ? R"({"status":"ok"})" : R"({"status":"bad"})"};
        });
        REQUIRE_MESSAGE(started, (started ? "" : started.error().message));
        server = std::move(*started);
    }

    ~ServerBench() { server.reset(); }

    [[nodiscard]] int denied(Denial why) {
        const std::lock_guard lock(mutex);
        return denials[why];
    }
    [[nodiscard]] Wire dial(int receiveBuffer = 0) const { return Wire::dial(server->port(), receiveBuffer); }
    [[nodiscard]] Wire open(int receiveBuffer = 0) const {
        Wire wire = dial(receiveBuffer);
        const std::string head = wire.upgrade();
        REQUIRE_MESSAGE(head.starts_with("HTTP/1.1 101"), head);
        return wire;
    }
    [[nodiscard]] Wire enter(int receiveBuffer = 0) const {
        Wire wire = open(receiveBuffer);
        wire.sendText(R"({"type":"auth","token":"secret","features":[]})");
        REQUIRE_FALSE(wire.textWith(R"("authenticated")").empty());
        return wire;
    }
    [[nodiscard]] std::string http(const std::string& request) const {
        Wire wire = dial();
        wire.send(request);
        return wire.readAll();
    }
    [[nodiscard]] std::string fetch(const std::string& line, const std::string& host = "127.0.0.1") const {
        return http(line + " HTTP/1.1\r\nHost: " + host + "\r\nConnection: close\r\n\r\n");
    }
};

}  // namespace edgecam::test
