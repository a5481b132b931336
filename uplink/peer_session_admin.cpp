// PeerSession: who is connected, as administrators see it; tokens that end, are taken away or replaced; and
// the audit log, which names who asked for what and never a secret.
#include <algorithm>
#include <utility>

#include "base/foreign_words.hpp"
#include "uplink/peer_session_core.hpp"

namespace edgecam::uplink {
namespace {

constexpr Microseconds kToldBeforeEnd = std::chrono::seconds(60);
constexpr Microseconds kRegistryInterval = std::chrono::seconds(1);
// A hub that asks again and again hears no more than this.
constexpr Microseconds kHubAuthInterval = std::chrono::seconds(1);
constexpr std::size_t kMostOfName = 64;

/// An administrator of some cameras sees only who is bound to those.
bool reaches(const Grant& admin, const Grant& other) {
    if (admin.cameras.empty()) return true;
    return !other.cameras.empty() && std::ranges::all_of(other.cameras, [&](const std::string& camera) {
        return admin.covers(camera);
    });
}

}  // namespace

void Session::enroll() {
    SessionRegistry* registry = around_.origin.registry;
    if (registry == nullptr) return;
    const Microseconds age = now() - openedAt_;
    registry->enter({.id = id_,
                     .grant = grant_,
                     .address = around_.origin.address,
                     .uplink = around_.agent.ownUplink,
                     .instance = instance_,
                     .purpose = purpose_,
                     .since = around_.clock.utc() - age,
                     .sinceMonotonic = openedAt_,
                     .use = {}});
}

/// The rules may have changed, and the token's own time may be over.
void Session::followAccess() {
    if (around_.access != nullptr && around_.access->generation() != grant_.generation) {
        auto renewed = around_.access->renew(grant_);
        if (!renewed) return tokenEnded("the token does not hold any more");
        const bool same = renewed->role == grant_.role && renewed->cameras == grant_.cameras;
        if (same) {
            grant_.generation = renewed->generation;
        } else {
            begin(*std::move(renewed));
            send(authenticatedMessage(id_, grant_.role, {}));
            tellStatusIfChanged();
        }
    }
    if (!tokenEnds_) return;
    if (now() >= *tokenEnds_) return tokenEnded("the token has ended");
    if (!toldOfEnd_ && now() + kToldBeforeEnd >= *tokenEnds_) {
        toldOfEnd_ = true;
        send(reauthenticateMessage(*tokenEnds_ - now()));
    }
}

void Session::tokenEnded(const char* why) {
    audit("token", "ended");
    send(errorMessage({ErrorCode::unauthorized, why, ""}));
    close(4411, why);
}

void Session::followRegistry() {
    SessionRegistry* registry = around_.origin.registry;
    if (registry == nullptr || closeWish_) return;
    if (auto wish = registry->wishFor(id_)) {
        send(errorMessage(
            {wish->code == 4409 ? ErrorCode::conflict : ErrorCode::forbidden, wish->reason, ""}));
        return close(wish->code, std::move(wish->reason));
    }
    if (registryToldAt_ && now() < *registryToldAt_ + kRegistryInterval) return;
    registryToldAt_ = now();
    registry->update(id_, {.bytesIn = traffic_.bytesIn,
                           .bytesOut = traffic_.bytesOut,
                           .messagesIn = traffic_.messagesIn,
                           .messagesOut = traffic_.messagesOut,
                           .commands = commandsTaken_});
}

void Session::administerSessions(const RequestEnvelope& envelope, const SessionsRequest& request) {
    const SessionRegistry* registry = around_.origin.registry;
    auto entries = registry != nullptr ? registry->list() : std::vector<SessionEntry>{};
    std::erase_if(entries, [&](const SessionEntry& entry) { return !reaches(grant_, entry.grant); });
    if (!request.revoke) return answer(envelope.id, sessionsMessage(entries, id_, now()));

    const std::string what =
        concat("sessions revoke ", *request.revoke, request.itsTokenToo ? " and its token" : "");
    const auto deny = [&](ErrorCode code, const char* why) {
        audit(what, nameOf(code));
        refuse(envelope.id, {code, why, "session"});
    };
    const auto found = std::ranges::find(entries, *request.revoke, &SessionEntry::id);
    if (found == entries.end()) return deny(ErrorCode::notFound, "there is no such session");
    if (!found->uplink.empty()) {
        return deny(ErrorCode::forbidden, "a hub is sent away in the configuration, not here");
    }
    const auto& revokeToken = around_.origin.revokeToken;
    if (request.itsTokenToo && (!revokeToken || !revokeToken(found->grant))) {
        return deny(ErrorCode::conflict, "its token cannot be revoked here");
    }
    ++commandsTaken_;
    audit(what, "ok");
    answerOk(envelope.id, Message{});
    around_.origin.registry->end(found->id, {4411, "ended by an administrator"});
}

void Session::rotateToken(const RequestEnvelope& envelope) {
    const auto request = std::make_shared<OpenRequest>();
    request->id = envelope.id;
    request->open = 1;
    request->what = "rotate_token";
    if (!grant_.made) {
        return settle(
            request, {},
            errorMessage({ErrorCode::unsupported,
                          "only a token that the agent made is replaced here; this one is where it was "
                          "configured",
                          ""}));
    }
    if (!book_.hasRoomFor(1)) {
        return settle(request, {},
                      errorMessage({ErrorCode::busy, "too many requests wait for an answer", ""}));
    }
    submit(request, {}, RotateToken{});
}

void Session::askConfig(const RequestEnvelope& envelope, const ConfigRequest& request) {
    AskConfig ask{.action = request.action, .candidate = request.candidate, .by = grant_.name};
    if (request.trial) ask.trial = *request.trial;
    askAgent(envelope, concat("config ", nameOf(request.action)), ask);
}

/// What is asked of the agent as a whole, where all its cameras and hubs are in the answer.
void Session::askAgent(const RequestEnvelope& envelope, std::string what, CameraAction action) {
    const auto request = std::make_shared<OpenRequest>();
    request->id = envelope.id;
    request->open = 1;
    request->what = std::move(what);
    if (envelope.timeToLive) request->expiresAt = now() + *envelope.timeToLive;
    const auto deny = [&](ErrorCode code, const char* why) {
        settle(request, {}, errorMessage({code, why, ""}));
    };
    if (!grant_.cameras.empty())
        return deny(ErrorCode::forbidden, "only for who may administer all cameras of this box");
    if (!commands_.takeIfThere(1, now()))
        return deny(ErrorCode::rateLimited, "too many requests in this time");
    if (!book_.hasRoomFor(1)) return deny(ErrorCode::busy, "too many requests wait for an answer");
    submit(request, {}, action);
}

void Session::configChanged(const ConfigNews& news) {
    const bool may = allows(grant_.role, Deed::administer) && grant_.cameras.empty();
    if (!authenticated_ || closeWish_ || !may || !subscription_.wants("", "system")) return;
    send({"system", "config", news.json});
}

void Session::sayHubAuth() {
    if (hubAuthSaidAt_ && now() < *hubAuthSaidAt_ + kHubAuthInterval) return;
    hubAuthSaidAt_ = now();
    const HubCredentials& hub = *around_.hub;
    const std::string token = hub.readToken ? hub.readToken() : hub.token;
    lanes_.push(Lane::answers, WireMessage::text(hubAuthText(around_.agent, hub, token, id_)), now());
}

void Session::auditSettled(const OpenRequest& request, const std::string& cameraId, const Message& message) {
    if (request.what.empty()) return;
    if (message.refusal && message.refusal->code == ErrorCode::rateLimited)
        return;  // as many as a peer likes
    ++commandsTaken_;
    audit(cameraId.empty() ? request.what : concat(request.what, " ", cameraId),
          message.refusal ? nameOf(message.refusal->code) : "ok");
}

void Session::audit(std::string_view what, std::string_view outcome) {
    const bool unknown = !authenticated_;
    // Strangers may try as often as they like; each of them writes a line in ten seconds at most, all
    // together.
    static LogThrottle strangers;
    const auto verdict =
        unknown || outcome == "forbidden" ? strangers.ask(now()) : LogThrottle::Verdict{true, 0};
    if (!verdict.write) return;
    const std::string more = verdict.keptBack > 0 ? concat(" (and ", verdict.keptBack, " more)") : "";
    const std::string from = around_.origin.address.empty() ? "" : concat(" at ", around_.origin.address);
    const std::string who =
        unknown ? "somebody" : concat(quoted(grant_.name, kMostOfName), " (", nameOf(grant_.role), ")");
    logInfo("audit", "session ", id_, ", ", who, from, ": ", quoted(what, kMostOfName), ": ", outcome, more);
}

}  // namespace edgecam::uplink
