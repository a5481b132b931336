#include "agent/stream_desk.hpp"

#include "agent/quality.hpp"

namespace edgecam::agent {
namespace {

using uplink::ErrorCode;
using uplink::Refusal;

capture::StreamForm formOf(uplink::StreamForm form) {
    return form == uplink::StreamForm::jpeg ? capture::StreamForm::jpeg : capture::StreamForm::cmaf;
}

}  // namespace

StreamDesk::StreamDesk(CameraUnits& cameras, uplink::PeerExchange& exchange, const Clock& clock,
                       Notices notices)
    : cameras_(cameras), exchange_(exchange), clock_(clock), notices_(std::move(notices)) {}

void StreamDesk::execute(const uplink::Command& command) {
    if (command.expiresAt && clock_.monotonic() > *command.expiresAt) {
        answer(command, Refusal{ErrorCode::expired, "too old when its turn came", {}});
        return;
    }
    if (std::holds_alternative<uplink::RotateToken>(command.action))
        return answer(command, notices_.rotated());
    const auto unit = cameras_.find(command.cameraId);
    if (unit == cameras_.end()) {
        answer(command,
               Refusal{ErrorCode::unknownCamera, "there is no camera \"" + command.cameraId + "\"", {}});
        return;
    }
    std::visit(
        [&](const auto& action) {
            if constexpr (!std::is_same_v<decltype(action), const uplink::RotateToken&>) {
                run(command, unit->second, action);
            }
        },
        command.action);
}

void StreamDesk::sessionEnded(uplink::SessionId session) {
    const auto found = watchers_.find(session);
    if (found == watchers_.end()) return;
    streams_ -= static_cast<int>(found->second.streams.size());
    watchers_.erase(found);
}

void StreamDesk::endAll() {
    watchers_.clear();
    streams_ = 0;
}

void StreamDesk::retell(const std::string& cameraId) {
    const auto unit = cameras_.find(cameraId);
    if (unit == cameras_.end()) return;
    for (const auto& [session, watcher] : watchers_) {
        const auto stream = watcher.streams.find({cameraId, uplink::StreamForm::cmaf});
        if (stream == watcher.streams.end() || stream->second.lease->passthrough()) continue;
        exchange_.regrant(session, cameraId, grantOf(unit->second, uplink::StreamForm::cmaf, stream->second));
    }
}

void StreamDesk::answer(const uplink::Command& command, uplink::Outcome outcome) {
    if (command.ticket == 0) return;  // nobody waits: the session's own, or of one that ended
    notices_.answered(command, outcome);
    exchange_.complete(command.session, command.ticket, std::move(outcome));
}

uplink::StreamGrant StreamDesk::grantOf(const CameraUnit& unit, uplink::StreamForm form,
                                        const Stream& stream) {
    const bool passthrough = stream.lease->passthrough();
    return {.form = form,
            .rendition = stream.lease->rendition(),
            .backlog = {},
            .quality = passthrough ? "source" : unit.quality,
            .targetBitrateKbps = passthrough ? 0 : unit.camera->tuning().bitrateKbps};
}

void StreamDesk::grant(const uplink::Command& command, const CameraUnit& unit, const StreamKey& key) {
    const Stream& stream = watchers_[command.session].streams.at(key);
    auto grant = grantOf(unit, key.second, stream);
    stream.lease->join([&](const Backlog& backlog) {
        grant.backlog = backlog;
        answer(command, std::move(grant));
    });
}

capture::StreamRequest StreamDesk::requestOf(uplink::SessionId session, const StreamKey& key) const {
    capture::StreamRequest request{.form = formOf(key.second), .codecs = {}, .encoded = false};
    const auto watcher = watchers_.find(session);
    if (watcher == watchers_.end()) return request;
    request.encoded = watcher->second.wantsEncoded.contains(key.first);
    const auto stream = watcher->second.streams.find(key);
    if (stream != watcher->second.streams.end()) request.codecs = stream->second.codecs;
    return request;
}

void StreamDesk::follow(uplink::SessionId session, const StreamKey& key, Stream stream) {
    stream.lease->whenMoved([this, session, key] { moved(session, key); });
    const bool isNew = watchers_[session].streams.insert_or_assign(key, std::move(stream)).second;
    if (isNew) ++streams_;
}

void StreamDesk::moved(uplink::SessionId session, const StreamKey& key) {
    const Stream& stream = watchers_[session].streams.at(key);
    auto grant = grantOf(cameras_.at(key.first), key.second, stream);
    stream.lease->join([&](const Backlog& backlog) {
        grant.backlog = backlog;
        exchange_.regrant(session, key.first, std::move(grant));
    });
}

bool StreamDesk::erase(uplink::SessionId session, const StreamKey& key) {
    if (watchers_[session].streams.erase(key) == 0) return false;
    --streams_;
    return true;
}

void StreamDesk::run(const uplink::Command& command, CameraUnit& unit, const uplink::StartStream& start) {
    const StreamKey key{command.cameraId, start.form};
    auto request = requestOf(command.session, key);
    request.codecs = start.codecs;
    auto lease = unit.camera->open(request);
    if (!lease) {
        answer(command, Refusal{ErrorCode::unsupported, lease.error().message, "codecs"});
        return;
    }
    follow(command.session, key, Stream{*std::move(lease), start.codecs});
    grant(command, unit, key);
}

void StreamDesk::run(const uplink::Command& command, CameraUnit&, const uplink::StopStream& stop) {
    for (const auto form : {uplink::StreamForm::cmaf, uplink::StreamForm::jpeg}) {
        if (!stop.form || *stop.form == form) erase(command.session, {command.cameraId, form});
    }
    answer(command, uplink::Done{});
}

void StreamDesk::run(const uplink::Command& command, CameraUnit& unit, const uplink::SetQuality& wish) {
    const bool byOperator = command.role != uplink::Role::viewer;
    const QualityPlan plan = planFor(wish, unit.config.encoder, unit.camera->tuning());
    // One encode serves all: the newest wish of an operator holds; a viewer's only while no operator has any.
    if (byOperator || !unit.qualityByOperator) {
        unit.camera->tune(plan.settings);
        unit.quality = wish.mode;
        unit.qualityByOperator = byOperator && wish.mode != "auto";
        if (wish.forCamera) unit.config.encoder = plan.settings;
        notices_.tuned(command.cameraId);
    }
    Watcher& watcher = watchers_[command.session];
    const StreamKey key{command.cameraId, uplink::StreamForm::cmaf};
    const bool wasEncoded = watcher.wantsEncoded.contains(command.cameraId);
    plan.encoded ? (void)watcher.wantsEncoded.insert(command.cameraId)
                 : (void)watcher.wantsEncoded.erase(command.cameraId);
    const auto stream = watcher.streams.find(key);
    if (stream != watcher.streams.end() && wasEncoded != plan.encoded) {
        if (auto lease = unit.camera->open(requestOf(command.session, key))) {
            const bool moves = (*lease)->rendition() != stream->second.lease->rendition();
            follow(command.session, key, Stream{*std::move(lease), stream->second.codecs});
            if (moves) return grant(command, unit, key);
        }
    }
    const auto inForce = unit.camera->tuning();
    const bool passthrough = stream != watcher.streams.end() && stream->second.lease->passthrough();
    answer(command, uplink::QualityInForce{.quality = passthrough ? "source" : unit.quality,
                                           .targetBitrateKbps = passthrough ? 0 : inForce.bitrateKbps,
                                           .size = inForce.size,
                                           .frameRate = inForce.frameRate});
}

void StreamDesk::run(const uplink::Command& command, CameraUnit&, const uplink::ForceKeyFrame&) {
    for (auto& [key, stream] : watchers_[command.session].streams) {
        if (key.first == command.cameraId) stream.lease->requestKeyFrame();
    }
    answer(command, uplink::Done{});
}

void StreamDesk::run(const uplink::Command& command, CameraUnit& unit, const uplink::TakeSnapshot&) {
    unit.camera->snapshot([this, command, alive = std::weak_ptr<bool>(alive_)](Result<Chunk> picture) {
        if (alive.expired()) return;
        if (picture) {
            answer(command, uplink::SnapshotTaken{*std::move(picture)});
        } else {
            answer(command, Refusal{ErrorCode::unavailable, picture.error().message, {}});
        }
    });
}

void StreamDesk::run(const uplink::Command& command, CameraUnit& unit, const uplink::EnableCamera& enable) {
    unit.camera->enable(enable.enabled);
    notices_.switched(command.cameraId, enable.enabled);
    answer(command, uplink::Done{});
}

}  // namespace edgecam::agent
