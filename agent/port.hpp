// Port: one face of the agent towards peers, the local server or one uplink: its exchange (where threads
// meet) and its stream desk (main thread). Commands that come in on the service's thread are carried to the
// main thread here, and what its sessions want of the journal to the journal. What was on its way to a port
// that has ended comes to nothing.
#pragma once

#include <memory>
#include <string>
#include <utility>

#include "agent/camera_unit.hpp"
#include "agent/main_loop.hpp"
#include "agent/stream_desk.hpp"
#include "base/media.hpp"
#include "uplink/command.hpp"
#include "uplink/durable_feed.hpp"
#include "uplink/journal.hpp"
#include "uplink/peer_exchange.hpp"

namespace edgecam::agent {

class Port final : public uplink::CommandSink,
                   public uplink::JournalLine,
                   public std::enable_shared_from_this<Port> {
  public:
    Port(CameraUnits& cameras, MainLoop& loop, uplink::AgentView view, std::size_t partBytes,
         const Clock& clock, StreamDesk::Notices notices)
        : uplink(view.ownUplink),
          exchange(std::move(view), partBytes, clock),
          desk(cameras, exchange, clock, std::move(notices)),
          loop_(loop) {}

    void submit(const uplink::Command& command) override {
        loop_.post([weak = weak_from_this(), command] {
            if (const auto port = weak.lock()) port->desk.execute(command);
        });
    }
    void sessionEnded(uplink::SessionId session) override {
        loop_.post([weak = weak_from_this(), session] {
            if (const auto port = weak.lock()) port->desk.sessionEnded(session);
        });
    }

    /// The peers of this port get durable events, from `journal`, as `consumer`. Before anybody else knows of
    /// the port; `journal` outlives its service.
    void keepFor(std::string consumer, uplink::Journal& journal) {
        consumer_ = std::move(consumer);
        journal_ = &journal;
    }
    [[nodiscard]] bool durable() const { return !consumer_.empty(); }
    void read(uplink::SessionId session, std::optional<std::int64_t> after) override {
        const auto hand = [weak = weak_from_this(), session](uplink::JournalPage page) {
            if (const auto port = weak.lock()) port->exchange.deliver(session, std::move(page));
        };
        after ? journal_->read(*after, kPageRecords, kPageBytes, hand)
              : journal_->readFor(consumer_, kPageRecords, kPageBytes, hand);
    }
    void readSnapshot(uplink::SessionId session, std::int64_t seq) override {
        journal_->readSnapshot(seq, [weak = weak_from_this(), session](uplink::JournalSnapshot snapshot) {
            if (const auto port = weak.lock()) port->exchange.deliver(session, std::move(snapshot));
        });
    }
    void passed(const std::string& journal, std::int64_t seq) override {
        journal_->passed(consumer_, journal, seq);
    }

    /// Hands a chunk on if anybody watches. Streaming threads.
    void publish(const Chunk& chunk) {
        if (desk.watched()) exchange.publish(chunk);
    }

    const std::string uplink;  ///< its name; empty: the local server
    uplink::PeerExchange exchange;
    StreamDesk desk;

  private:
    static constexpr std::size_t kPageRecords = 64;
    static constexpr std::size_t kPageBytes = 64 << 10;

    MainLoop& loop_;
    uplink::Journal* journal_ = nullptr;
    std::string consumer_;
};

}  // namespace edgecam::agent
