#include "uplink/peer_session.hpp"

#include <algorithm>
#include <utility>

#include "base/foreign_words.hpp"
#include "base/log.hpp"
#include "uplink/peer_session_core.hpp"

namespace edgecam::uplink {
namespace {

constexpr std::size_t kMaxBadMessages = 20;
constexpr Microseconds kBadMessageWindow = std::chrono::seconds(10);
constexpr std::int64_t kProtocol = 1;
constexpr const char* kDeflate = "deflate";
constexpr const char* kMediaAck = "media_ack";

}  // namespace

std::unique_ptr<PeerSession> PeerSession::forViewer(SessionId id, const SessionLimits& limits,
                                                    const Access& access,
                                                    std::optional<Grant> preAuthenticated,
                                                    const AgentView& agent, CommandSink& commands,
                                                    const Clock& clock, SessionOrigin origin) {
    SessionSurroundings around{limits,  agent,        commands, clock,
                               &access, std::nullopt, nullptr,  std::move(origin)};
    return std::make_unique<Session>(id, std::move(around), std::move(preAuthenticated));
}

std::unique_ptr<PeerSession> PeerSession::forHub(SessionId id, const SessionLimits& limits,
                                                 const HubCredentials& hub, const AgentView& agent,
                                                 CommandSink& commands, JournalLine* journal,
                                                 const Clock& clock, SessionOrigin origin) {
    SessionSurroundings around{limits, agent, commands, clock, nullptr, hub, journal, std::move(origin)};
    return std::make_unique<Session>(id, std::move(around), std::nullopt);
}

Session::Session(SessionId id, SessionSurroundings around, std::optional<Grant> preAuthenticated)
    : id_(id),
      around_(std::move(around)),
      lanes_(around_.limits.lanes),
      streams_(lanes_, around_.limits.partBytes),
      openedAt_(around_.clock.monotonic()),
      commands_(around_.limits.commandsPerSecond, around_.limits.commandBurst, openedAt_) {
    if (isHub()) {
        hasFeatures_ = true;
        sayHubAuth();
    } else if (preAuthenticated) {
        begin(std::move(*preAuthenticated));
        send(authenticatedMessage(id_, grant_.role, {}));
        tellStatusIfChanged();
    }
}

Session::~Session() {
    if (!authenticated_) return;
    around_.commands.sessionEnded(id_);
    if (around_.origin.registry != nullptr) around_.origin.registry->leave(id_);
}

/// From here on the peer is somebody. May be called again, with another grant.
void Session::begin(Grant grant) {
    grant_ = std::move(grant);
    toldOfEnd_ = false;
    tokenEnds_.reset();
    if (grant_.endsAt) tokenEnds_ = now() + (*grant_.endsAt - around_.clock.utc());
    toldStatus_.clear();
    if (authenticated_) {
        enroll();
        endUncoveredStreams();
        return;
    }
    authenticated_ = true;
    enroll();
    subscription_ = Subscription::afterAuth();
    told_ = around_.agent.cameras;
    toldUplinks_ = around_.agent.uplinks;
}

void Session::endUncoveredStreams() {
    std::set<std::string> lost;
    for (const VideoStream& stream : streams_.all()) {
        if (!grant_.covers(stream.cameraId)) lost.insert(stream.cameraId);
    }
    for (const std::string& cameraId : lost) {
        streams_.end(cameraId, std::nullopt);
        submitSilently(cameraId, StopStream{});
    }
}

void Session::receiveText(std::string_view text) {
    if (closeWish_) return;
    ++traffic_.messagesIn;
    traffic_.bytesIn += text.size();
    if (text.size() > around_.limits.maxMessageBytes) return receiveTooLarge();
    const auto message = parseJson(text);
    if (!message) {
        refuse(std::nullopt, {ErrorCode::badRequest, "not JSON: " + message.error().message, ""});
        return;
    }
    handle(readEnvelope(*message), *message);
}

void Session::receiveBinary() {
    if (closeWish_) return;
    send(errorMessage({ErrorCode::badRequest, "binary messages are for the agent to send", ""}));
    close(4400, "binary message");
}

void Session::receiveTooLarge() {
    if (closeWish_) return;
    const std::string limit = std::to_string(around_.limits.maxMessageBytes);
    send(errorMessage({ErrorCode::tooLarge, "a message may have " + limit + " bytes", ""}));
    close(1009, "message too big");
}

void Session::authenticate(const Id& id, const AuthRequest& auth) {
    const auto grant = around_.access->check(auth.token);
    if (!grant) {
        audit("auth", "unauthorized");
        refuse(id, {ErrorCode::unauthorized, "this token is not known here", ""});
        close(4401, "unauthorized");
        return;
    }
    if (!auth.protocols.empty() && std::ranges::find(auth.protocols, kProtocol) == auth.protocols.end()) {
        refuse(id, {ErrorCode::unsupported, "this agent speaks protocol 1", "protocol"});
        return;
    }
    hasFeatures_ = auth.features.has_value();
    deflate_ = hasFeatures_ && std::ranges::find(*auth.features, kDeflate) != auth.features->end();
    instance_ = auth.instance;
    purpose_ = auth.purpose;
    begin(*grant);
    std::vector<std::string> inForce;
    if (deflate_) inForce.emplace_back(kDeflate);
    answer(id, authenticatedMessage(id_, grant_.role, inForce));
    tellStatusIfChanged();
}

void Session::welcome(const HubWelcome& welcome) {
    if (authenticated_) return;
    begin(around_.hub->grant);
    deflate_ = std::ranges::find(welcome.features, kDeflate) != welcome.features.end();
    if (std::ranges::find(welcome.features, kMediaAck) != welcome.features.end()) mediaAcks_.emplace(now());
    if (welcome.subscriptions) {
        subscription_ = Subscription();
        for (const SubscribeRequest& entry : *welcome.subscriptions) {
            for (const std::string& topic : entry.topics) {
                if (!subscription_.add(topic, entry.entry)) break;  // one too many: the rest is not in force
            }
        }
    }
    tellStatusIfChanged();
    beginFeed(welcome);
    if (around_.hub->purpose == Purpose::events) return;
    for (const std::string& cameraId : around_.hub->start) startUnasked(cameraId);
}

void Session::heedHubError(const HubError& error) {
    constexpr std::size_t kMostOfCode = 40;
    if (const auto verdict = hubErrors_.ask(now()); verdict.write) {
        logWarning("uplink", "the hub answers ", quoted(error.code, kMostOfCode), " ", quoted(error.message),
                   ", ", verdict.keptBack, " more before it");
    }
    if (error.code == nameOf(ErrorCode::unauthorized)) close(4401, "unauthorized");
    if (error.code == nameOf(ErrorCode::forbidden) && !authenticated_) close(4403, "forbidden");
    if (error.code == nameOf(ErrorCode::conflict) && !authenticated_) close(4409, "conflict");
}

void Session::refuse(const Id& id, const Refusal& refusal) {
    answer(id, errorMessage(refusal));
    if (refusal.code == ErrorCode::badRequest || !authenticated_) countBadMessage();
}

void Session::countBadMessage() {
    const Monotonic time = now();
    badMessages_.push_back(time);
    while (badMessages_.front() + kBadMessageWindow <= time) badMessages_.pop_front();
    if (badMessages_.size() >= kMaxBadMessages) close(4400, "too many bad messages");
}

void Session::close(std::uint16_t code, std::string reason) {
    if (!closeWish_) closeWish_ = CloseWish{code, std::move(reason)};
}

/// The published guide's client comes back after 1006 only, which is what it sees without a close frame.
void Session::closePlanned(std::uint16_t code, std::string reason) {
    constexpr std::uint16_t kNoCloseFrame = 1006;
    close(hasFeatures_ ? code : kNoCloseFrame, std::move(reason));
}

void Session::readsTooSlowly() {
    mute_ = true;
    closePlanned(4410, "reads too slowly");
}

void Session::goAway(Microseconds retryAfter) {
    if (closeWish_) return;
    if (authenticated_) {
        send(statusMessage(around_.agent, grant_, statusWord(around_.agent, grant_, true), around_.clock));
        send(goingAwayMessage(retryAfter));
    }
    closePlanned(1001, "going away");
}

void Session::tick() {
    if (closeWish_) return;
    const auto waited = now() - openedAt_;
    if (!authenticated_) {
        if (isHub() && waited >= around_.limits.hubAnswerWithin) close(4408, "no answer to auth in time");
        if (!isHub() && waited >= around_.limits.authWithin) {
            send(errorMessage({ErrorCode::unauthorized, "no auth in time", ""}));
            close(4408, "no auth in time");
        }
        return;
    }
    followAccess();
    followRegistry();
    if (closeWish_) return;
    endOverdueTickets();
    cutStaleVideo();
    tellDrops();
    reportBitrates();
    retryUnaskedStarts();
    readJournal();
    flushBatches(false);
    readSnapshots();
    tellUplinksIfDue();
}

std::optional<WireMessage> Session::pop(Lane last) {
    if (mute_) return std::nullopt;
    auto message = lanes_.pop(closeWish_ ? Lane::answers : last);
    if (!message) return message;
    ++traffic_.messagesOut;
    traffic_.bytesOut += message->size();
    notePopped(*message);
    readJournal();
    return message;
}

bool Session::hasOutput(Lane last) const {
    return !mute_ && !lanes_.empty(closeWish_ ? Lane::answers : last);
}

}  // namespace edgecam::uplink
