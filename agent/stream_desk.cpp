#include "agent/stream_desk.hpp"

#include <algorithm>

#include "agent/quality.hpp"

namespace edgecam::agent {
namespace {

using uplink::ErrorCode;
using uplink::Refusal;

capture::StreamForm formOf(uplink::StreamForm form) {
    return form == uplink::StreamForm::jpeg ? capture::StreamForm::jpeg : capture::StreamForm::cmaf;
}

/// When the camera's sub stream will do: where its own coding would, or where less than that was wished. A
/// wish that names no size is one for the camera's.
std::optional<capture::SubLimits> subLimitsOf(const QualityPlan& plan) {
    if (!plan.encoded) return capture::SubLimits{};
    if (plan.settings.size == Size{}) return std::nullopt;
    return capture::SubLimits{.kbps = plan.settings.bitrateKbps, .size = plan.settings.size};
}

uplink::QualityInForce inForce(const QualityPlan& plan, const CameraUnit& unit, RenditionKind kind,
                               const std::optional<capture::EncoderSettings>& aim) {
    uplink::QualityInForce answer{.quality = plan.quality};
    if (aim) {
        answer.targetBitrateKbps = aim->bitrateKbps;
        answer.size = aim->size;
        answer.frameRate = aim->frameRate;
    } else if (const auto sub = unit.camera->substream(); sub && kind == RenditionKind::sub) {
        answer.size = sub->size;
        answer.frameRate = sub->frameRate;
    } else {
        answer.quality = "source";
        answer.size = unit.camera->status().size;
        answer.frameRate = unit.camera->status().frameRate;
    }
    return answer;
}

/// Below everybody's: a few pictures must not become what others see.
constexpr int kYields = -1;

/// So few pictures that nearly each is a key frame, and of the size that key frames have in a stream: about
/// six times the mean of 30 pictures a second, a fifth of what a second of it takes. Where encoders know no
/// bitrate so small, more pictures share it; the session's lane thins them.
capture::EncoderSettings keyFramesOf(capture::EncoderSettings settings) {
    constexpr double kInterval = secondsOf(uplink::kPlanKeyFrames);
    constexpr double kShareOfSecond = 0.2;
    constexpr double kLeastKbps = 50;
    const double kilobits = std::max(1.0, kShareOfSecond * settings.bitrateKbps);
    const double kbps = std::max(kLeastKbps, kilobits / kInterval);
    settings.bitrateKbps = static_cast<int>(kbps);
    settings.frameRate = kbps / kilobits;
    return settings;
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
    const bool aboutAgent =
        std::visit([]<class Action>(const Action&) { return uplink::isAboutAgent<Action>; }, command.action);
    if (aboutAgent) return administer(command);
    const auto unit = cameras_.find(command.cameraId);
    if (unit == cameras_.end()) {
        answer(command,
               Refusal{ErrorCode::unknownCamera, "there is no camera \"" + command.cameraId + "\"", {}});
        return;
    }
    std::visit(
        [&]<class Action>(const Action& action) {
            if constexpr (!uplink::isAboutAgent<Action>) run(command, unit->second, action);
        },
        command.action);
}

/// What is asked of the agent may take longer than this desk is there.
void StreamDesk::administer(const uplink::Command& command) {
    uplink::Command asked = command;
    notices_.administered(command, [this, asked, alive = std::weak_ptr(alive_)](uplink::Outcome outcome) {
        if (alive.lock()) answer(asked, std::move(outcome));
    });
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

std::vector<std::pair<uplink::SessionId, StreamDesk::StreamKey>> StreamDesk::streamsOf(
    const std::string& cameraId) const {
    std::vector<std::pair<uplink::SessionId, StreamKey>> found;
    for (const auto& [session, watcher] : watchers_) {
        for (const auto& [key, stream] : watcher.streams) {
            if (key.first == cameraId) found.emplace_back(session, key);
        }
    }
    return found;
}

void StreamDesk::release(const std::string& cameraId) {
    for (const auto& [session, key] : streamsOf(cameraId)) watchers_[session].streams.at(key).lease.reset();
}

void StreamDesk::rejoin(const std::string& cameraId) {
    CameraUnit& unit = cameras_.at(cameraId);
    for (const auto& [session, key] : streamsOf(cameraId)) {
        if (reopen(session, key, unit)) {
            moved(session, key);
        } else {
            erase(session, key);
            exchange_.regrant(
                session, cameraId,
                {.form = key.second, .rendition = 0, .backlog = {}, .quality = {}, .targetBitrateKbps = 0});
        }
    }
}

bool StreamDesk::reopen(uplink::SessionId session, const StreamKey& key, CameraUnit& unit) {
    const Stream& was = watchers_[session].streams.at(key);
    auto lease = unit.camera->open(
        {.form = formOf(key.second), .codecs = was.codecs, .wish = wishOf(session, unit, was.role)});
    if (!lease) return false;
    follow(session, key, Stream{*std::move(lease), was.role, was.codecs});
    return true;
}

void StreamDesk::forget(const std::string& cameraId) {
    for (const auto& [session, key] : streamsOf(cameraId)) erase(session, key);
    for (auto& [session, watcher] : watchers_) {
        watcher.qualities.erase(cameraId);
        watcher.links.erase(cameraId);
        watcher.keyFramesOnly.erase(cameraId);
    }
}

void StreamDesk::retune(const std::string& cameraId) {
    const auto unit = cameras_.find(cameraId);
    if (unit == cameras_.end()) return;
    const StreamKey key{cameraId, uplink::StreamForm::cmaf};
    for (const auto& [session, watcher] : watchers_) {
        const auto stream = watcher.streams.find(key);
        if (stream == watcher.streams.end() || watcher.qualities.contains(cameraId)) continue;
        stream->second.lease->wish(wishOf(session, unit->second, stream->second.role));
        if (stream->second.lease->kind() == RenditionKind::encoded)
            exchange_.regrant(session, cameraId, grantOf(session, key));
    }
}

void StreamDesk::answer(const uplink::Command& command, uplink::Outcome outcome) {
    if (command.ticket == 0) return;  // nobody waits: the session's own, or of one that ended
    notices_.answered(command, outcome);
    exchange_.complete(command.session, command.ticket, std::move(outcome));
}

uplink::StreamGrant StreamDesk::grantOf(uplink::SessionId session, const StreamKey& key) const {
    const Stream& stream = watchers_.at(session).streams.at(key);
    const RenditionKind kind = stream.lease->kind();
    int target = 0;
    if (const auto aim = stream.lease->aim(); aim && kind == RenditionKind::encoded)
        target = aim->bitrateKbps;
    return {.form = key.second,
            .rendition = stream.lease->rendition(),
            .backlog = {},
            .quality = kind == RenditionKind::passthrough
                           ? "source"
                           : qualityOf(session, cameras_.at(key.first)).quality,
            .targetBitrateKbps = target};
}

QualityPlan StreamDesk::qualityOf(uplink::SessionId session, const CameraUnit& unit) const {
    if (const auto watcher = watchers_.find(session); watcher != watchers_.end()) {
        const auto own = watcher->second.qualities.find(unit.config.id);
        if (own != watcher->second.qualities.end()) return own->second;
    }
    return {.quality = "auto", .settings = unit.config.encoder, .encoded = false};
}

capture::StreamWish StreamDesk::wishOf(uplink::SessionId session, const CameraUnit& unit, uplink::Role role) {
    const QualityPlan plan = qualityOf(session, unit);
    capture::StreamWish wish{
        .encoded = plan.encoded, .settings = plan.settings, .rank = role == uplink::Role::viewer ? 0 : 1};
    wish.sub = subLimitsOf(plan);
    Watcher& watcher = watchers_[session];
    const auto link = watcher.links.find(unit.config.id);
    if (link != watcher.links.end()) fitToLink(wish, plan, unit, link->second);
    if (watcher.keyFramesOnly.contains(unit.config.id)) {
        wish.settings = keyFramesOf(wish.settings);
        wish.rank = kYields;
    }
    return wish;
}

void StreamDesk::fitToLink(capture::StreamWish& wish, const QualityPlan& plan, const CameraUnit& unit,
                           Link& link) {
    const LinkFit::Coding fit = link.fit.chosen();
    if (fit == LinkFit::Coding::encode) wish.sub.reset();
    const CameraStatus status = unit.camera->status();
    capture::EncoderSettings most = plan.settings;
    // As much as its own coding takes, and a little more: else nobody would learn when that has room again.
    if (fit != LinkFit::Coding::own && !plan.encoded) {
        most.bitrateKbps =
            std::max(most.bitrateKbps, static_cast<int>(1.1 * LinkFit::kRoom * unit.camera->codedKbps()));
    }
    const LadderTop top{
        .settings = most, .leastKbps = plan.leastKbps, .source = status.size, .sourceRate = status.frameRate};
    wish.settings = link.ladder.fit(top, link.kbps, clock_.monotonic());
    wish.encoded = plan.encoded || fit != LinkFit::Coding::own;
    wish.gate = link.gate;
}

void StreamDesk::follow(uplink::SessionId session, const StreamKey& key, Stream stream) {
    stream.lease->whenMoved([this, session, key] { moved(session, key); });
    const bool isNew = watchers_[session].streams.insert_or_assign(key, std::move(stream)).second;
    if (isNew) ++streams_;
}

void StreamDesk::moved(uplink::SessionId session, const StreamKey& key) {
    auto grant = grantOf(session, key);
    watchers_[session].streams.at(key).lease->join([&](const Backlog& backlog) {
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
    auto lease = unit.camera->open({.form = formOf(key.second),
                                    .codecs = start.codecs,
                                    .wish = wishOf(command.session, unit, command.role)});
    if (!lease) {
        answer(command, Refusal{ErrorCode::unsupported, lease.error().message, "codecs"});
        return;
    }
    follow(command.session, key, Stream{*std::move(lease), command.role, start.codecs});
    auto grant = grantOf(command.session, key);
    watchers_[command.session].streams.at(key).lease->join([&](const Backlog& backlog) {
        grant.backlog = backlog;
        answer(command, std::move(grant));
    });
}

void StreamDesk::run(const uplink::Command& command, CameraUnit&, const uplink::StopStream& stop) {
    for (const auto form : {uplink::StreamForm::cmaf, uplink::StreamForm::jpeg}) {
        if (!stop.form || *stop.form == form) erase(command.session, {command.cameraId, form});
    }
    answer(command, uplink::Done{});
}

void StreamDesk::run(const uplink::Command& command, CameraUnit& unit, const uplink::SetQuality& wish) {
    const QualityPlan plan = planFor(wish, unit.config.encoder, qualityOf(command.session, unit).settings);
    Watcher& watcher = watchers_[command.session];
    if (wish.forCamera) unit.config.encoder = plan.settings;
    if (plan.encoded) {
        watcher.qualities.insert_or_assign(command.cameraId, plan);
    } else {
        watcher.qualities.erase(command.cameraId);
    }
    const auto stream = watcher.streams.find({command.cameraId, uplink::StreamForm::cmaf});
    if (stream == watcher.streams.end()) {
        answer(command, inForce(plan, unit, RenditionKind::encoded, unit.camera->fitted(plan.settings)));
    } else {
        // It may be another's wish, where the camera has no encode left.
        capture::StreamLease& lease = *stream->second.lease;
        lease.wish(wishOf(command.session, unit, command.role));
        answer(command, inForce(plan, unit, lease.goal(), lease.aim()));
    }
    if (wish.forCamera) notices_.tuned(command.cameraId);
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

void StreamDesk::run(const uplink::Command& command, CameraUnit& unit, const uplink::FollowLink& follow) {
    const auto watcher = watchers_.find(command.session);
    if (watcher == watchers_.end()) return;
    const auto stream = watcher->second.streams.find({command.cameraId, uplink::StreamForm::cmaf});
    if (stream == watcher->second.streams.end()) return;
    Link& link = watcher->second.links[command.cameraId];
    link.kbps = follow.kbps;
    link.gate = follow.gate;
    const auto sub = unit.camera->substream();
    link.fit.choose({.ownKbps = unit.camera->codedKbps(),
                     .subKbps = sub ? std::optional(sub->kbps) : std::nullopt,
                     .ownWished = !qualityOf(command.session, unit).encoded},
                    follow.kbps, clock_.monotonic());
    stream->second.lease->wish(wishOf(command.session, unit, stream->second.role));
}

void StreamDesk::run(const uplink::Command& command, CameraUnit& unit, const uplink::FollowPlan& follow) {
    Watcher& watcher = watchers_[command.session];
    if (!follow.keyFramesOnly && watcher.keyFramesOnly.erase(command.cameraId) == 0) return;
    if (follow.keyFramesOnly && !watcher.keyFramesOnly.insert(command.cameraId).second) return;
    const auto stream = watcher.streams.find({command.cameraId, uplink::StreamForm::cmaf});
    if (stream == watcher.streams.end()) return;
    stream->second.lease->wish(wishOf(command.session, unit, stream->second.role));
}

}  // namespace edgecam::agent
