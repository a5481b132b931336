// Port: one face of the agent towards peers, the local server or one uplink: its exchange (where threads
// meet) and its stream desk (main thread). Commands that come in on the service's thread are carried to the
// main thread here.
#pragma once

#include <utility>

#include "agent/camera_unit.hpp"
#include "agent/main_loop.hpp"
#include "agent/stream_desk.hpp"
#include "base/media.hpp"
#include "uplink/command.hpp"
#include "uplink/peer_exchange.hpp"

namespace edgecam::agent {

class Port final : public uplink::CommandSink {
  public:
    Port(CameraUnits& cameras, MainLoop& loop, uplink::AgentView view, std::size_t partBytes,
         const Clock& clock, StreamDesk::Notices notices)
        : exchange(std::move(view), partBytes, clock),
          desk(cameras, exchange, clock, std::move(notices)),
          loop_(loop) {}

    void submit(const uplink::Command& command) override {
        loop_.post([this, command] { desk.execute(command); });
    }
    void sessionEnded(uplink::SessionId session) override {
        loop_.post([this, session] { desk.sessionEnded(session); });
    }

    /// Hands a chunk on if anybody watches. Streaming threads.
    void publish(const Chunk& chunk) {
        if (desk.watched()) exchange.publish(chunk);
    }

    uplink::PeerExchange exchange;
    StreamDesk desk;

  private:
    MainLoop& loop_;
};

}  // namespace edgecam::agent
