// PeerConnection: one established WebSocket and the PeerSession that lives on it: whole messages in, messages
// out while the socket takes them and the link has room for them, and the ends a socket can come to. The
// local server and the uplink client both use it. It knows no message.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/bytes.hpp"
#include "base/clock.hpp"
#include "uplink/data_plan.hpp"
#include "uplink/link_meter.hpp"
#include "uplink/peer_exchange.hpp"
#include "uplink/peer_session.hpp"
#include "uplink/rate_controller.hpp"
#include "uplink/service_timer.hpp"
#include "uplink/token_bucket.hpp"

struct lws;

namespace edgecam::uplink {

struct ConnectionLimits {
    std::size_t maxMessageBytes = 1 << 20;
    /// TCP_NOTSENT_LOWAT: what the kernel may hold unsent. Without it megabytes hide in the socket before the
    /// lanes notice that a peer does not read.
    int unsentBytes = 128 << 10;
    /// Bytes that may always be under way, sent or not, before video has to wait (LinkMeter).
    std::size_t leastAllowance = 128 << 10;
    /// False: video enters the socket whenever that takes it. Only to measure what the rule is worth.
    bool holdsVideoBack = true;
    /// Something waits, and for so long the peer's machine acknowledged nothing.
    Microseconds stallAfter = std::chrono::seconds(10);
    /// What a peer may send, everything on the wire counted; beyond: 4429.
    double bytesPerSecond = 1e6;
    double byteBurst = 4e6;
    /// The same in all until it has said who it is; 0: no such limit.
    std::size_t newcomerBytes = 0;
    double framesPerSecond = 200;  ///< messages, or their fragments
    double frameBurst = 2000;
    /// A client's frames are masked in place: shared bytes must be copied first.
    bool copyBeforeWrite = false;
    /// Whether video is asked to follow what the link carries, and within what.
    bool followsLink = false;
    int mostVideoKbps = 0;  ///< 0: as much as the link carries
    Microseconds videoWait = RateTuning{}.pictureWait;
    /// Of a metered link, counts what the socket carries and says what may go; outlives the connection.
    DataPlan* plan = nullptr;
};

/// Thread-bound (its service's thread). Every function but tick() and the constructor belongs into a callback
/// of its own socket; those that give a bool say whether to keep the connection.
class PeerConnection {
  public:
    /// Joins `session` to the exchange until it ends. A connection without a session is only there to be
    /// closed.
    PeerConnection(lws* socket, ServiceTimers& timers, std::unique_ptr<PeerSession> session,
                   PeerExchange& exchange, const ConnectionLimits& limits, const Clock& clock);
    ~PeerConnection();
    PeerConnection(const PeerConnection&) = delete;
    PeerConnection& operator=(const PeerConnection&) = delete;

    /// A part of a message, as it came.
    void received(std::string_view part);
    [[nodiscard]] bool writable();
    /// About ten times a second: limits of time, floods, stalls.
    void tick();
    /// The session has something to say, or the end has come.
    void askToWrite();
    /// After the exchange has handed on what was put in: asks to write what came of it.
    void sayWhatIsNew();
    /// Ends the session now and the connection as soon as the socket allows it.
    void close(CloseWish wish);
    /// Ends the connection without waiting for the peer any longer.
    void cut();
    /// libwebsockets closes by itself what is not RFC 6455 or not UTF-8, but waits long for the peer and asks
    /// us to write meanwhile. Then our end begins here too, and this gives true.
    bool endIfBroken();

    /// Null once the end began.
    [[nodiscard]] PeerSession* session() const { return session_.get(); }
    [[nodiscard]] const std::optional<CloseWish>& closing() const { return closing_; }
    [[nodiscard]] const LinkMeter& link() const { return link_; }
    /// How long ago the peer's last byte came, or the connection itself.
    [[nodiscard]] Microseconds silentFor() const { return clock_.monotonic() - heardAt_; }

  private:
    void heard();
    bool write(const WireMessage& message);
    [[nodiscard]] bool endNow();
    /// Lanes below the urgent ones may go on.
    [[nodiscard]] bool linkHasRoom(std::size_t outstanding) const;
    [[nodiscard]] std::size_t outstanding() const;
    std::optional<LinkSample> look();
    void waitForRoom();
    void handedOver(const WireMessage& message);
    /// `sample`: of now; without one it looks at the socket itself.
    void settleTimed(std::size_t outstanding, std::optional<LinkSample> sample);
    void meterInbound(std::uint64_t totalReceived);
    void countForPlan(const LinkSample& sample);
    [[nodiscard]] bool isNewcomer() const;
    void followSession();
    void followLink(const LinkSample& sample);
    void tellGate();

    lws* const socket_;
    std::unique_ptr<PeerSession> session_;
    PeerExchange& exchange_;
    const ConnectionLimits limits_;
    const Clock& clock_;

    std::string incoming_;
    bool skippingMessage_ = false;
    TokenBucket inboundBytes_;
    TokenBucket inboundFrames_;
    std::uint64_t bytesSeen_ = 0;
    std::uint64_t plannedBytes_ = 0;  ///< counted for the plan
    Monotonic heardAt_;

    LinkMeter link_;
    ServiceTimer roomTimer_;
    bool held_ = false;  ///< something waited at every moment since the last look
    std::uint64_t ackedSeen_ = 0;
    /// A picture that is in the socket, or on its way: of one at a time it is seen when it has arrived.
    struct TimedPicture {
        Monotonic handedAt;
        std::size_t bytesBehind = 0;  ///< written after it, at least
    };
    std::optional<TimedPicture> timed_;
    bool timesNext_ = true;
    std::optional<Monotonic> waitingSince_;  ///< something waits, and nothing was acknowledged since
    ByteBuffer scratch_;

    // Of one whose video follows the link.
    std::optional<RateController> rate_;
    std::shared_ptr<LinkGate> gate_;
    ServiceTimer gateTimer_;
    bool linkIsLimit_ = false;  ///< it was seen to carry less than it was given
    bool ranDry_ = true;        ///< at some time since the last tick no video waited
    Microseconds receiverLimitedSeen_{0};
    Monotonic followedAt_;

    std::optional<CloseWish> closing_;
    int ticksToLive_ = 0;  ///< once closing_
    bool ended_ = false;   ///< libwebsockets was told to close
};

}  // namespace edgecam::uplink
