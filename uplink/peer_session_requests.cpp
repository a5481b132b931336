// PeerSession: what the peer asks. Every request is read, checked against the role and the cameras of the
// grant, and then answered or handed to the agent.
#include <algorithm>
#include <utility>

#include "uplink/peer_session_core.hpp"

namespace edgecam::uplink {
namespace {

constexpr Microseconds kFreshStartInterval = std::chrono::seconds(1);

/// Whether it makes a camera or an encoder start something; a stop frees them and must always come through.
bool isCostly(const CameraAction& action) {
    return !std::holds_alternative<StopStream>(action) && !std::holds_alternative<ForceKeyFrame>(action);
}

/// What of the control actions goes into the audit log; empty: what changes nothing that lasts.
std::string changeNamed(const CameraAction& action) {
    if (std::holds_alternative<StartStream>(action)) return "start";
    if (std::holds_alternative<StopStream>(action)) return "stop";
    if (std::holds_alternative<SetQuality>(action)) return "quality";
    if (std::holds_alternative<TakeSnapshot>(action)) return "snapshot";
    if (const auto* enable = std::get_if<EnableCamera>(&action))
        return enable->enabled ? "enable" : "disable";
    return {};
}

template <class... Cases>
struct Overloaded : Cases... {
    using Cases::operator()...;
};
template <class... Cases>
Overloaded(Cases...) -> Overloaded<Cases...>;

}  // namespace

void Session::handle(const RequestEnvelope& envelope, const JsonValue& message) {
    const bool hubAnswers = isHub() && isHubAnswer(envelope.type);
    const Id id = hubAnswers ? std::nullopt : envelope.id;
    if (envelope.trouble) return refuse(id, *envelope.trouble);
    if (!authenticated_ && !hubAnswers && (isHub() || envelope.type != "auth")) {
        return refuse(id, {ErrorCode::unauthorized, "not authenticated yet", ""});
    }
    if (id && authenticated_) {
        const AnswerBook::Memory memory = book_.recall(*id);
        if (memory.answer && !lanes_.push(Lane::answers, *memory.answer, now())) readsTooSlowly();
        if (memory.seen) return;
        book_.begin(*id);
    }
    const auto read = readBody(envelope.type, message, isHub() ? Speaker::hub : Speaker::viewer);
    if (const auto* refusal = std::get_if<Refusal>(&read)) {
        if (!hubAnswers) refuse(id, *refusal);
        return;
    }
    const RequestBody& body = std::get<RequestBody>(read);
    const auto deed = deedOf(envelope.type, body);
    if (deed && !allows(grant_.role, *deed)) {
        audit(envelope.type, "forbidden");
        return refuse(
            id, {ErrorCode::forbidden, std::string("not allowed to the role ") + nameOf(grant_.role), ""});
    }
    perform(envelope, body);
}

void Session::perform(const RequestEnvelope& envelope, const RequestBody& body) {
    const Id& id = envelope.id;
    std::visit(
        Overloaded{
            [&](const AuthRequest& auth) { authenticate(id, auth); },
            [&](const StreamControlRequest& request) { control(envelope, request); },
            [&](const SubscribeRequest& request) { subscribe(id, request); },
            [&](const UnsubscribeRequest& request) { unsubscribe(id, request); },
            [&](const StatusRequest&) {
                const char* word = statusWord(around_.agent, grant_, false);
                answer(id, statusMessage(around_.agent, grant_, word, around_.clock));
            },
            [&](const MetricsRequest&) { answerMetrics(id); },
            [&](const AnalyticsRequest&) { answerAnalytics(id); },
            [&](const HeartbeatRequest& heartbeat) {
                const Utc time = around_.clock.utc();
                answer(id, heartbeatMessage(heartbeat.t0, time, around_.clock.utc()));
            },
            [&](const MediaAckRequest& ack) { acknowledgeMedia(id, ack); },
            [&](const AckRequest& ack) { acknowledge(id, ack); },
            [&](const SessionsRequest& request) { administerSessions(envelope, request); },
            [&](const RotateTokenRequest&) { rotateToken(envelope); },
            [&](const ConfigRequest& request) { askConfig(envelope, request); },
            [&](const DiagnosticsRequest&) { askAgent(envelope, "diagnostics", AskDiagnostics{}); },
            [&](const ProbeRequest& request) { askAgent(envelope, "probe", AskProbe{request.source}); },
            [&](const UnservedRequest& request) {
                refuse(id, {ErrorCode::unsupported, request.what + ": not in this version", ""});
            },
            [&](const HubWelcome& hub) { welcome(hub); },
            [&](const HubError& error) { heedHubError(error); },
            [&](const HubReauthenticate&) { sayHubAuth(); },
            [&](const HubGoingAway& hub) { retryAfter_ = hub.retryAfter; },
            [](const HubNotice&) {},
        },
        body);
}

void Session::control(const RequestEnvelope& envelope, const StreamControlRequest& control) {
    std::vector<std::string> cameras = control.cameraIds;
    if (control.all) {
        for (const auto& [cameraId, status] : around_.agent.cameras) {
            if (grant_.covers(cameraId)) cameras.push_back(cameraId);
        }
    }
    if (!book_.hasRoomFor(cameras.size())) {
        return refuse(envelope.id, {ErrorCode::busy, "too many requests wait for an answer", ""});
    }
    const auto request = std::make_shared<OpenRequest>();
    request->id = envelope.id;
    request->many = control.many;
    request->open = cameras.size();
    request->what = changeNamed(control.action);
    if (envelope.timeToLive) request->expiresAt = now() + *envelope.timeToLive;
    if (cameras.empty()) return answerOk(request->id, resultsMessage({}));
    for (const std::string& cameraId : cameras) {
        if (isCostly(control.action) && !commands_.takeIfThere(1, now())) {
            settle(request, cameraId,
                   errorMessage({ErrorCode::rateLimited, "too many requests in this time", ""}, cameraId));
        } else {
            controlCamera(request, cameraId, control.action);
        }
    }
}

void Session::controlCamera(const Request& request, const std::string& cameraId, const CameraAction& action) {
    if (!grant_.covers(cameraId)) {
        return settle(
            request, cameraId,
            errorMessage({ErrorCode::forbidden, "not a camera of this token", "camera_id"}, cameraId));
    }
    if (!around_.agent.cameras.contains(cameraId)) {
        return settle(
            request, cameraId,
            errorMessage({ErrorCode::unknownCamera, "there is no such camera", "camera_id"}, cameraId));
    }
    if (const auto* wanted = std::get_if<StartStream>(&action)) return start(request, cameraId, *wanted);
    if (const auto* unwanted = std::get_if<StopStream>(&action)) return stop(request, cameraId, *unwanted);
    if (std::holds_alternative<TakeSnapshot>(action) && planState() == PlanState::eventsOnly) {
        return settle(request, cameraId, errorMessage({ErrorCode::unavailable, planReason(), ""}, cameraId));
    }
    submit(request, cameraId, action);
}

void Session::start(const Request& request, const std::string& cameraId, StartStream action) {
    const VideoStream* running = streams_.find(cameraId, action.form);
    if (running != nullptr && running->attached && now() < running->grantedAt + kFreshStartInterval) {
        return settle(request, cameraId,
                      streamStatusMessage(reportOf(cameraId, running), around_.clock.utc()));
    }
    // A browser's safe choice for a viewer; a hub stores what comes.
    if (action.codecs.empty()) {
        action.codecs = isHub() ? std::vector<std::string>{"avc1", "hvc1"} : std::vector<std::string>{"avc1"};
    }
    if (planState() == PlanState::eventsOnly) return holdStart(request, cameraId, action);
    if (plan_) submitSilently(cameraId, FollowPlan{planState() == PlanState::keyFrames});
    const TicketId ticket = issue(request, cameraId, action);
    streams_.wish(cameraId, action.form, ticket).asked = action;
    command(request, ticket, cameraId, std::move(action));
}

void Session::stop(const Request& request, const std::string& cameraId, const StopStream& action) {
    if (request->expiresAt && now() > *request->expiresAt) {
        return settle(request, cameraId,
                      errorMessage({ErrorCode::expired, "too old when its turn came", ""}, cameraId));
    }
    if (action.form != StreamForm::jpeg) startsToCome_.erase(cameraId);
    const VideoStreams::Ended ended = streams_.end(cameraId, action.form);
    if (!ended.any) {
        request->what.clear();
        return settle(request, cameraId, streamStatusMessage(reportOf(cameraId), around_.clock.utc()));
    }
    request->behind.insert(request->behind.end(), ended.renditions.begin(), ended.renditions.end());
    submit(request, cameraId, action);
}

/// On the uplink the configuration may wish for video itself.
void Session::startUnasked(const std::string& cameraId) {
    if (!around_.agent.cameras.contains(cameraId)) {
        startsToCome_[cameraId] = std::nullopt;
        return;
    }
    const auto request = std::make_shared<OpenRequest>();
    request->open = 1;
    controlCamera(request, cameraId, StartStream{});
}

void Session::retryUnaskedStarts() {
    std::vector<std::string> due;
    for (const auto& [cameraId, at] : startsToCome_) {
        if (at && now() >= *at) due.push_back(cameraId);
    }
    for (const std::string& cameraId : due) {
        startsToCome_.erase(cameraId);
        if (streams_.of(cameraId).empty()) startUnasked(cameraId);
    }
}

TicketId Session::issue(const Request& request, const std::string& cameraId, const CameraAction& action) {
    return book_.issue({request, cameraId, action, now() + around_.limits.answerWithin});
}

void Session::submit(const Request& request, const std::string& cameraId, const CameraAction& action) {
    command(request, issue(request, cameraId, action), cameraId, action);
}

/// What was answered by an error for lack of time must not happen afterwards. But a stop that the session
/// has carried out already is carried out by the agent too, however late.
void Session::command(const Request& request, TicketId ticket, const std::string& cameraId,
                      CameraAction action) {
    std::optional<Monotonic> expiresAt;
    if (!std::holds_alternative<StopStream>(action)) {
        expiresAt = now() + around_.limits.answerWithin;
        if (request->expiresAt) expiresAt = std::min(*expiresAt, *request->expiresAt);
    }
    around_.commands.submit({id_, ticket, cameraId, std::move(action), grant_.role, expiresAt});
}

void Session::submitSilently(const std::string& cameraId, const CameraAction& action) {
    around_.commands.submit({id_, 0, cameraId, action, grant_.role, std::nullopt});
}

void Session::subscribe(const Id& id, const SubscribeRequest& request) {
    Subscription wanted = subscription_;
    for (const std::string& topic : request.topics) {
        const auto camera = Subscription::cameraOf(topic);
        if (camera && !camera->empty() && *camera != "*" && !grant_.covers(*camera)) {
            return refuse(id, {ErrorCode::forbidden, "not a camera of this token", "topics"});
        }
        if (const auto added = wanted.add(topic, request.entry); !added) {
            return refuse(id, {ErrorCode::badRequest, added.error().message, "topics"});
        }
    }
    subscription_ = std::move(wanted);
    answer(id, subscriptionsMessage(subscription_));
    tellPresentState(request.topics);
}

void Session::unsubscribe(const Id& id, const UnsubscribeRequest& request) {
    for (const std::string& topic : request.topics) subscription_.remove(topic);
    answer(id, subscriptionsMessage(subscription_));
}

/// What a subscriber would else learn only at the next change.
void Session::tellPresentState(const std::vector<std::string>& topics) {
    Subscription asked;
    for (const std::string& topic : topics) (void)asked.add(topic, {});
    if (asked.wants("", "system")) {
        const char* word = statusWord(around_.agent, grant_, false);
        send(statusMessage(around_.agent, grant_, word, around_.clock));
    }
    for (const auto& [cameraId, status] : around_.agent.cameras) {
        if (!grant_.covers(cameraId)) continue;
        if (asked.wants(cameraId, "stream_status")) tellCamera(cameraId);
        const auto faces = around_.agent.liveFaces.find(cameraId);
        if (faces == around_.agent.liveFaces.end() || !asked.wants(cameraId, "face_detected")) continue;
        for (const auto& [track, last] : faces->second) {
            FaceEvent entering = last;
            entering.phase = FacePhase::enter;
            if (const auto wish = subscription_.admits(entering)) tellFace(entering, *wish, true);
        }
    }
}

}  // namespace edgecam::uplink
