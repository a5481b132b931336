// PeerConnection: one established WebSocket and the PeerSession that lives on it: whole messages in, messages
// out while the socket takes them, and the ends a socket can come to. The local server and the uplink client
// both use it. It knows no message.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/bytes.hpp"
#include "base/clock.hpp"
#include "uplink/peer_exchange.hpp"
#include "uplink/peer_session.hpp"
#include "uplink/token_bucket.hpp"

struct lws;

namespace edgecam::uplink {

struct ConnectionLimits {
    std::size_t maxMessageBytes = 1 << 20;
    /// TCP_NOTSENT_LOWAT: what the kernel may hold unsent. Without it megabytes hide in the socket before the
    /// lanes notice that a peer does not read.
    int unsentBytes = 128 << 10;
    Microseconds stallAfter = std::chrono::seconds(10);
    /// What a peer may send, everything on the wire counted; beyond: 4429.
    double bytesPerSecond = 1e6;
    double byteBurst = 4e6;
    double messagesPerSecond = 200;
    double messageBurst = 2000;
    /// A client's frames are masked in place: shared bytes must be copied first.
    bool copyBeforeWrite = false;
};

/// Thread-bound (its service's thread). Every function but tick() and the constructor belongs into a callback
/// of its own socket; those that give a bool say whether to keep the connection.
class PeerConnection {
  public:
    /// Joins `session` to the exchange until it ends. A connection without a session is only there to be
    /// closed.
    PeerConnection(lws* socket, std::unique_ptr<PeerSession> session, PeerExchange& exchange,
                   const ConnectionLimits& limits, const Clock& clock);
    ~PeerConnection();
    PeerConnection(const PeerConnection&) = delete;
    PeerConnection& operator=(const PeerConnection&) = delete;

    /// A part of a message, as it came.
    void received(std::string_view part);
    [[nodiscard]] bool writable();
    /// About ten times a second: limits of time, floods, stalls.
    void tick();
    /// The session has something to say.
    void askToWrite();
    /// Ends the session now and the connection as soon as the socket allows it.
    void close(CloseWish wish);

    /// Null once the end began.
    [[nodiscard]] PeerSession* session() const { return session_.get(); }
    [[nodiscard]] const std::optional<CloseWish>& closing() const { return closing_; }

  private:
    bool write(const WireMessage& message);
    [[nodiscard]] bool endNow();
    void meterInbound();
    void followSession();

    lws* const socket_;
    std::unique_ptr<PeerSession> session_;
    PeerExchange& exchange_;
    const ConnectionLimits limits_;
    const Clock& clock_;

    std::string incoming_;
    bool skippingMessage_ = false;
    TokenBucket inboundBytes_;
    TokenBucket inboundMessages_;
    std::uint64_t bytesSeen_ = 0;

    std::optional<Monotonic> waitingSince_;  ///< asked for room in the socket and got none yet
    ByteBuffer scratch_;

    std::optional<CloseWish> closing_;
    int ticksToLive_ = 0;  ///< once closing_
    bool ended_ = false;   ///< libwebsockets was told to close
};

}  // namespace edgecam::uplink
