// The state of one PeerSession and what it does, split over peer_session.cpp (life: auth, time, closing),
// peer_session_requests.cpp (what the peer asks), peer_session_delivery.cpp (what the agent says),
// peer_session_durable.cpp (what is sent until it has arrived), peer_session_snapshots.cpp (pictures of
// faces), peer_session_uplinks.cpp (news of the uplinks), peer_session_plan.cpp (what a metered link's plan
// allows), peer_session_admin.cpp (who is here, tokens that end or change) and peer_session_metrics.cpp (what
// is counted).
#pragma once

#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/log.hpp"
#include "uplink/media_acks.hpp"
#include "uplink/message_batch.hpp"
#include "uplink/message_request.hpp"
#include "uplink/message_text.hpp"
#include "uplink/peer_session.hpp"
#include "uplink/peer_session_answers.hpp"
#include "uplink/peer_session_streams.hpp"
#include "uplink/snapshots_due.hpp"
#include "uplink/token_bucket.hpp"

namespace edgecam::uplink {

/// Everything a session borrows; all of it outlives the session.
struct SessionSurroundings {
    SessionLimits limits;
    const AgentView& agent;
    CommandSink& commands;
    const Clock& clock;
    const Access* access = nullptr;     ///< local face
    std::optional<HubCredentials> hub;  ///< uplink's face
    JournalLine* journal = nullptr;     ///< uplink's face
    SessionOrigin origin;
};

class Session final : public PeerSession {
  public:
    Session(SessionId id, SessionSurroundings around, std::optional<Grant> preAuthenticated);
    ~Session() override;
    Session(const Session&) = delete;
    Session& operator=(const Session&) = delete;

    void receiveText(std::string_view text) override;
    void receiveBinary() override;
    void receiveTooLarge() override;
    void tick() override;
    void readsTooSlowly() override;
    void transmitted(std::size_t unacknowledged) override;

    void complete(TicketId ticket, const Outcome& outcome) override;
    void regrant(const std::string& cameraId, const StreamGrant& grant) override;
    void cameraChanged(const CameraStatus& status) override;
    void cameraRemoved(const std::string& cameraId) override;
    void uplinkChanged(const UplinkStatus& status) override;
    void uplinkRemoved(const std::string& id) override;
    void figuresChanged() override;
    void configChanged(const ConfigNews& news) override;
    void deliver(const WireChunk& chunk) override;
    void deliver(const FaceEvent& event) override;
    void deliver(const Detections& detections) override;
    void deliver(const JournalPage& page) override;
    void deliver(const JournalSnapshot& snapshot) override;
    void journalMoved() override;
    void skipped(RenditionId rendition, const DropNotice& notice) override;
    void setPartBytes(std::size_t bytes) override;
    void linkCarries(int kbps, const std::shared_ptr<LinkGate>& gate) override;
    void linkSeen(const LinkFigures& link) override { link_ = link; }
    [[nodiscard]] std::optional<Microseconds> mediaAckDelay() const override;
    void followPlan(const PlanFigures& plan) override;
    void flushVideo() override;
    void goAway(Microseconds retryAfter) override;

    std::optional<WireMessage> pop(Lane last) override;
    [[nodiscard]] bool hasOutput(Lane last) const override;
    [[nodiscard]] LaneUse laneUse(Lane lane) const override { return lanes_.use(lane, now()); }
    [[nodiscard]] std::optional<CloseWish> closeWish() const override { return closeWish_; }
    [[nodiscard]] SessionId id() const override { return id_; }
    [[nodiscard]] bool authenticated() const override { return authenticated_; }
    [[nodiscard]] std::optional<Microseconds> retryAfter() const override { return retryAfter_; }
    [[nodiscard]] bool follows(RenditionId rendition) const override { return streams_.follows(rendition); }
    [[nodiscard]] ConnectionFigures figures() override;

  private:
    using Id = std::optional<std::string>;  ///< of a request, as JSON text
    using Request = std::shared_ptr<OpenRequest>;
    struct PendingDrop {
        std::string cameraId;
        DropNotice notice;
        const char* reason = "";
        std::optional<Monotonic> toldAt;
    };

    // Life.
    [[nodiscard]] bool isHub() const { return around_.hub.has_value(); }
    [[nodiscard]] Monotonic now() const { return around_.clock.monotonic(); }
    void begin(Grant grant);
    void authenticate(const Id& id, const AuthRequest& auth);
    void welcome(const HubWelcome& welcome);
    void heedHubError(const HubError& error);
    void endUncoveredStreams();
    void refuse(const Id& id, const Refusal& refusal);
    void countBadMessage();
    void close(std::uint16_t code, std::string reason);
    void closePlanned(std::uint16_t code, std::string reason);

    // What the peer asks.
    void handle(const RequestEnvelope& envelope, const JsonValue& message);
    void perform(const RequestEnvelope& envelope, const RequestBody& body);
    void control(const RequestEnvelope& envelope, const StreamControlRequest& request);
    void controlCamera(const Request& request, const std::string& cameraId, const CameraAction& action);
    void start(const Request& request, const std::string& cameraId, StartStream action);
    void stop(const Request& request, const std::string& cameraId, const StopStream& action);
    void startUnasked(const std::string& cameraId);
    void retryUnaskedStarts();
    TicketId issue(const Request& request, const std::string& cameraId, const CameraAction& action);
    void command(const Request& request, TicketId ticket, const std::string& cameraId, CameraAction action);
    void submit(const Request& request, const std::string& cameraId, const CameraAction& action);
    void submitSilently(const std::string& cameraId, const CameraAction& action);
    void subscribe(const Id& id, const SubscribeRequest& request);
    void unsubscribe(const Id& id, const UnsubscribeRequest& request);
    void tellPresentState(const std::vector<std::string>& topics);

    // Who is here, tokens that end or change.
    void enroll();
    void followAccess();
    void followRegistry();
    void tokenEnded(const char* why);
    void administerSessions(const RequestEnvelope& envelope, const SessionsRequest& request);
    void rotateToken(const RequestEnvelope& envelope);
    void askConfig(const RequestEnvelope& envelope, const ConfigRequest& request);
    void askAgent(const RequestEnvelope& envelope, std::string what, CameraAction action);
    void sayHubAuth();
    void audit(std::string_view what, std::string_view outcome);
    void auditSettled(const OpenRequest& request, const std::string& cameraId, const Message& message);

    // What the agent says.
    void apply(const Ticket& ticket, TicketId number, const Outcome& outcome);
    void applyGrant(const Ticket& ticket, TicketId number, const StreamGrant& grant);
    void applyInForce(const Ticket& ticket, const QualityInForce& inForce);
    void applyRefusal(const Ticket& ticket, TicketId number, const Refusal& refusal);
    void handOver(const Ticket& ticket, const SnapshotTaken& snapshot);
    void endOverdueTickets();
    void cutStaleVideo();
    void noteDrop(const std::string& cameraId, const DropNotice& notice, const char* reason);
    void tellDrops();
    void reportBitrates();
    void tellStatusIfChanged();
    void tellStatus();
    [[nodiscard]] std::string standing() const;
    void uplinksMoved(Microseconds settling);
    void tellUplinksIfDue();
    void answerMetrics(const Id& id);
    void answerAnalytics(const Id& id);
    std::set<std::string> camerasDueFor(std::string_view topic);
    void noteError(const Message& message);

    // What a metered link's plan allows.
    [[nodiscard]] PlanState planState() const { return plan_ ? plan_->state : PlanState::within; }
    [[nodiscard]] std::string planReason() const;
    void holdStart(const Request& request, const std::string& cameraId, const StartStream& action);
    void letVideoGo();
    void bringVideoBack();

    // What is sent until it has arrived.
    [[nodiscard]] bool durable() const { return around_.journal != nullptr && feed_.begun(); }
    void beginFeed(const HubWelcome& welcome);
    void readJournal();
    void tell(const JournalRecord& record);
    void acknowledge(const Id& id, const AckRequest& ack);
    void tellPosition();
    void notePopped(const WireMessage& message);
    void acknowledgeMedia(const Id& id, const MediaAckRequest& ack);

    // Snapshots of face events.
    std::uint16_t nextOneShot();  ///< a channel for one payload
    /// How an event's snapshot reaches this peer; nothing: not at all.
    std::optional<SnapshotNote> announce(const FaceEvent& event, SnapshotWish wish);
    /// An event that is told once, with its snapshot behind it.
    void tellFace(const FaceEvent& event, SnapshotWish wish, bool replay = false);
    void expectSnapshot(const FaceEvent& event, const SnapshotNote& note, std::int64_t seq);
    void readSnapshots();
    void sendSnapshot(const DueSnapshot& due, const SharedBytes& jpeg);

    // Words into lanes.
    [[nodiscard]] StreamReport reportOf(const std::string& cameraId, const VideoStream* stream) const;
    [[nodiscard]] StreamReport reportOf(const std::string& cameraId) const;
    void tellStream(VideoStream& stream);
    void tellCamera(const std::string& cameraId);
    void settle(const Request& request, const std::string& cameraId, const Message& message);
    void answer(const Id& id, const Message& message, const std::vector<RenditionId>& behind = {});
    /// Only to those who asked for an answer: an `ok` by itself says nothing.
    void answerOk(const Id& id, const Message& message);
    void send(const Message& message, Lane lane = Lane::answers);
    /// At once, or with others when the peer's subscription has the patience. `mark`: seq of a durable event.
    void sendPatiently(const Message& message, Lane lane, Microseconds patience, std::int64_t mark = 0);
    void flushBatches(bool all);
    void flushBatch(Lane lane);

    const SessionId id_;
    SessionSurroundings around_;
    LaneQueue lanes_;
    VideoStreams streams_;
    AnswerBook book_;
    Subscription subscription_;

    const Monotonic openedAt_;
    bool authenticated_ = false;
    bool deflate_ = false;      ///< the peer can inflate batches
    bool hasFeatures_ = false;  ///< of its own: it knows more than the published guide's client
    Grant grant_;
    std::deque<Monotonic> badMessages_;
    std::optional<CloseWish> closeWish_;
    std::optional<Microseconds> retryAfter_;
    bool mute_ = false;  ///< the peer does not read: nothing more is written

    std::map<std::string, CameraStatus> told_;         ///< of each camera, what the peer knows
    std::string toldStatus_;                           ///< standing() as the peer knows it
    std::map<std::string, UplinkStatus> toldUplinks_;  ///< of each uplink, what the peer knows
    std::optional<Monotonic> uplinksDue_;              ///< when the peer is to hear what changed
    std::optional<Monotonic> uplinksToldAt_;
    /// Starts of the configuration that did not come about, tried again when their camera changes, and at
    /// the given time if there is one.
    std::map<std::string, std::optional<Monotonic>> startsToCome_;
    DurableFeed feed_;
    SnapshotsDue snapshotsDue_;
    std::int64_t writtenSeq_ = 0;  ///< the newest durable event that was given to the socket
    std::map<Lane, MessageBatch> batches_;
    std::uint64_t poppedBytes_ = 0;
    std::deque<std::pair<std::uint64_t, std::int64_t>> poppedMarks_;  ///< poppedBytes_ behind a durable event

    std::string instance_;  ///< of the peer's program, as its auth said
    std::string purpose_;
    std::optional<Monotonic> tokenEnds_;  ///< when the token of grant_ does
    bool toldOfEnd_ = false;
    std::optional<Monotonic> registryToldAt_;
    std::optional<Monotonic> hubAuthSaidAt_;
    std::uint64_t commandsTaken_ = 0;

    TokenBucket commands_;
    LogThrottle hubErrors_;
    std::map<std::uint16_t, PendingDrop> drops_;
    std::uint64_t transfers_ = 0;
    Traffic traffic_;
    std::map<ErrorCode, ErrorFigures> errors_;
    Delays eventAcks_;
    std::optional<LinkFigures> link_;
    std::optional<PlanFigures> plan_;
    std::optional<MediaAcks> mediaAcks_;  ///< of a hub that offers it
};

}  // namespace edgecam::uplink
