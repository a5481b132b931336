// PeerSession: one peer of the wire contract, as a state machine without a socket: bytes go in, messages come
// out. The local server and the uplink client run the same class; only who proves who it is differs. It knows
// no thread, no libwebsockets, no camera; what peers ask for leaves as Commands.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.hpp"
#include "base/face.hpp"
#include "base/json.hpp"
#include "base/media.hpp"
#include "uplink/access.hpp"
#include "uplink/close_wish.hpp"
#include "uplink/command.hpp"
#include "uplink/durable_feed.hpp"
#include "uplink/figures.hpp"
#include "uplink/lane_queue.hpp"
#include "uplink/session_registry.hpp"
#include "uplink/subscription.hpp"
#include "uplink/uplink_status.hpp"
#include "uplink/wire_message.hpp"

namespace edgecam::uplink {

/// What every session of a service may know of the agent. Owned by the PeerExchange, read on its thread.
struct AgentView {
    std::string agentId;
    std::string version;
    std::string instance;  ///< random per start
    Monotonic startedAt;
    std::map<std::string, CameraStatus> cameras;
    /// The last event of every track that has not left, by camera and track id.
    std::map<std::string, std::map<std::uint64_t, FaceEvent>> liveFaces;
    std::string journal;  ///< UUID of the database that durable events are in; empty: there is none now
    std::int64_t journalNewest = 0;
    CommitTimes commits;                          ///< of that journal
    std::map<std::string, UplinkStatus> uplinks;  ///< by id()
    std::shared_ptr<const AgentFigures> figures;  ///< newest; nullptr: none came yet
    std::string ownUplink;  ///< the one this service is, by id(); empty: the local server
};

/// What the agent says of itself to a hub.
struct HubCredentials {
    std::string token;
    Grant grant{Role::operator_, {}};  ///< what the hub may do; nothing it says raises it
    /// The token as it is now, where it is in a file that may change; empty: `token` it is. Called on the
    /// uplink's thread, at each connection and when the hub asks for it again; may read a small file.
    std::function<std::string()> readToken;
    std::vector<std::string> start;  ///< cameras whose video flows unasked
    Purpose purpose = Purpose::all;
};

struct SessionLimits {
    std::size_t maxMessageBytes = 1 << 20;
    Microseconds authWithin = std::chrono::seconds(5);
    Microseconds hubAnswerWithin = std::chrono::seconds(10);
    Microseconds answerWithin = std::chrono::milliseconds(9500);  ///< 10 s are promised
    std::size_t partBytes = 64 << 10;  ///< at first; see PeerSession::setPartBytes()
    /// What costs the agent something (start, quality, snapshot, enable, disable), each camera counted;
    /// beyond: `rate_limited`.
    double commandsPerSecond = 10;
    double commandBurst = 64;
    LaneLimits lanes;
};

/// Where a session is listed, and from where it came.
struct SessionOrigin {
    SessionRegistry* registry = nullptr;  ///< outlives the session; null: it is not listed
    /// Takes a grant's token away, for good. False: it has none that can be. Empty: nobody's can.
    std::function<bool(const Grant&)> revokeToken;
    std::string address;  ///< the peer's, or the hub's URL without its query
};

/// A chunk with the messages it travels in, cut once for all peers of a service.
struct WireChunk {
    Chunk chunk;
    std::vector<WireMessage> parts;
};

/// Not thread-safe: its service's thread only. Its end tells the CommandSink (sessionEnded), if it ever was
/// authenticated.
class PeerSession {
  public:
    enum class Face { local, uplink };

    /// A local face (viewer dials us): waits for `auth`, unless `preAuthenticated` (Bearer at the handshake).
    static std::unique_ptr<PeerSession> forViewer(SessionId id, const SessionLimits& limits,
                                                  const Access& access, std::optional<Grant> preAuthenticated,
                                                  const AgentView& agent, CommandSink& commands,
                                                  const Clock& clock, SessionOrigin origin = {});
    /// The uplink's face (we dial a hub): says `auth` at once, waits for `system/authenticated`.
    /// Durable events come from `journal`; without one (nullptr) they are sent as they happen, and once.
    static std::unique_ptr<PeerSession> forHub(SessionId id, const SessionLimits& limits,
                                               const HubCredentials& hub, const AgentView& agent,
                                               CommandSink& commands, JournalLine* journal,
                                               const Clock& clock, SessionOrigin origin = {});
    virtual ~PeerSession() = default;

    // From the socket.
    virtual void receiveText(std::string_view text) = 0;  ///< one whole message
    virtual void receiveBinary() = 0;                     ///< peers send text only: closes with 4400
    virtual void receiveTooLarge() = 0;                   ///< closes with 1009
    /// Call about ten times a second, and before asking for output: timeouts, cuts of stale video.
    virtual void tick() = 0;
    /// Of the bytes that pop() gave, all but the last `unacknowledged` have reached the peer's machine.
    virtual void transmitted(std::size_t unacknowledged) = 0;
    /// What the link carries of video, kbit/s in all: the agent is told for each camera that is streamed, an
    /// equal share each. `gate` says the same to an encoder for each picture; may be null.
    virtual void linkCarries(int kbps, const std::shared_ptr<LinkGate>& gate) = 0;
    /// What the link was seen to be, to be told to others.
    virtual void linkSeen(const LinkFigures& link) = 0;
    /// MediaAcks::delay() of a hub that acknowledges pictures.
    [[nodiscard]] virtual std::optional<Microseconds> mediaAckDelay() const = 0;
    /// What is left of a metered link's plan. About ten times a second, and before the session may start
    /// anything.
    virtual void followPlan(const PlanFigures& plan) = 0;
    /// Gives up the video that waits, but for a picture that was begun, tells the peer, and asks for key
    /// frames.
    virtual void flushVideo() = 0;
    /// The socket has taken nothing for too long: nothing more is said, and closeWish() is set.
    virtual void readsTooSlowly() = 0;

    // From the agent, by way of the PeerExchange.
    virtual void complete(TicketId ticket, const Outcome& outcome) = 0;
    /// Moves a stream without being asked, e.g. since passthrough had to become an encode. Rendition 0: to
    /// none, since the camera gives nothing that this peer can take.
    virtual void regrant(const std::string& cameraId, const StreamGrant& grant) = 0;
    virtual void cameraChanged(const CameraStatus& status) = 0;
    /// It is gone from the AgentView already; its streams end.
    virtual void cameraRemoved(const std::string& cameraId) = 0;
    /// The AgentView has it already. Told to who subscribed to `system`, not more often than people can read.
    virtual void uplinkChanged(const UplinkStatus& status) = 0;
    /// By its id; the AgentView has it no more.
    virtual void uplinkRemoved(const std::string& id) = 0;
    /// The AgentView has new figures; told to who subscribed to `metrics`.
    virtual void figuresChanged() = 0;
    /// Told to administrators of the whole box who subscribed to `system`.
    virtual void configChanged(const ConfigNews& news) = 0;
    virtual void deliver(const WireChunk& chunk) = 0;
    virtual void deliver(const FaceEvent& event) = 0;
    virtual void deliver(const Detections& detections) = 0;
    /// What this session asked the journal for.
    virtual void deliver(const JournalPage& page) = 0;
    virtual void deliver(const JournalSnapshot& snapshot) = 0;
    /// AgentView::journal or journalNewest is another one.
    virtual void journalMoved() = 0;
    /// Chunks of a rendition that the service itself had to skip before this session saw them.
    virtual void skipped(RenditionId rendition, const DropNotice& notice) = 0;
    /// Payload bytes of a binary message that the session cuts itself, from now on.
    virtual void setPartBytes(std::size_t bytes) = 0;
    /// Planned end: says `system/going_away` and closes when that is written.
    virtual void goAway(Microseconds retryAfter) = 0;

    // To the socket: of the lanes up to `last`.
    virtual std::optional<WireMessage> pop(Lane last = Lane::bulk) = 0;
    [[nodiscard]] virtual bool hasOutput(Lane last = Lane::bulk) const = 0;
    [[nodiscard]] virtual LaneUse laneUse(Lane lane) const = 0;
    /// Set once; write what pop() still gives of the answers lane, then close so.
    [[nodiscard]] virtual std::optional<CloseWish> closeWish() const = 0;

    [[nodiscard]] virtual SessionId id() const = 0;
    [[nodiscard]] virtual bool authenticated() const = 0;
    /// How long the hub wants not to be dialled, once it has said so.
    [[nodiscard]] virtual std::optional<Microseconds> retryAfter() const = 0;
    /// Whether the session follows this rendition: the service cuts parts only for renditions somebody
    /// follows.
    [[nodiscard]] virtual bool follows(RenditionId rendition) const = 0;
    /// What this connection has counted up to now.
    [[nodiscard]] virtual ConnectionFigures figures() = 0;
};

}  // namespace edgecam::uplink
