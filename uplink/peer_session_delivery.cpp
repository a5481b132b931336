// PeerSession: what the agent says. Outcomes answer requests; statuses, chunks and faces go to whom they are
// for, by grant and subscription.
#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <utility>

#include "uplink/frame_header.hpp"
#include "uplink/peer_session_core.hpp"

namespace edgecam::uplink {
namespace {

constexpr Microseconds kKeyFrameInterval = std::chrono::seconds(1);
constexpr Microseconds kBitrateInterval = std::chrono::seconds(1);
constexpr Microseconds kDropInterval = std::chrono::seconds(1);
constexpr Microseconds kUnaskedStartInterval = std::chrono::seconds(5);
constexpr std::size_t kAnswersWhileDropsWait = 64;
constexpr const char* kCameraGone = "this camera is not configured any more";
constexpr const char* kNoCommonCoding = "the camera's coding is none that was asked for";

std::optional<StreamForm> formOf(const CameraAction& action) {
    const auto* start = std::get_if<StartStream>(&action);
    if (start == nullptr) return std::nullopt;
    return start->form;
}

const char* reportNamed(const CameraAction& action) {
    if (std::holds_alternative<AskConfig>(action)) return "config";
    return std::holds_alternative<AskProbe>(action) ? "probe" : "diagnostics";
}

/// How often a camera was opened again is no news: its state, which changed, was.
bool isNews(CameraStatus before, const CameraStatus& now) {
    before.restarts = now.restarts;
    return before != now;
}

}  // namespace

void Session::complete(TicketId number, const Outcome& outcome) {
    const auto ticket = book_.take(number);
    if (!ticket || closeWish_) return;
    if (ticket->cameraId.empty() || grant_.covers(ticket->cameraId)) return apply(*ticket, number, outcome);
    // The token was changed meanwhile, and the new one does not reach so far.
    applyRefusal(*ticket, number, {ErrorCode::forbidden, "not a camera of this token", "camera_id"});
}

void Session::apply(const Ticket& ticket, TicketId number, const Outcome& outcome) {
    if (const auto* grant = std::get_if<StreamGrant>(&outcome)) return applyGrant(ticket, number, *grant);
    if (const auto* inForce = std::get_if<QualityInForce>(&outcome)) return applyInForce(ticket, *inForce);
    if (const auto* snapshot = std::get_if<SnapshotTaken>(&outcome)) return handOver(ticket, *snapshot);
    if (const auto* rotated = std::get_if<TokenRotated>(&outcome)) {
        return settle(ticket.request, {}, tokenRotatedMessage(*rotated));
    }
    if (const auto* report = std::get_if<Report>(&outcome)) {
        return settle(ticket.request, {}, {reportNamed(ticket.action), nullptr, report->json});
    }
    if (const auto* refusal = std::get_if<Refusal>(&outcome)) return applyRefusal(ticket, number, *refusal);
    const bool aboutStream = !ticket.cameraId.empty() &&
                             !std::holds_alternative<ForceKeyFrame>(ticket.action) &&
                             !std::holds_alternative<TakeSnapshot>(ticket.action) &&
                             !std::holds_alternative<EnableCamera>(ticket.action);
    settle(ticket.request, ticket.cameraId,
           aboutStream ? streamStatusMessage(reportOf(ticket.cameraId), around_.clock.utc()) : Message{});
}

void Session::applyGrant(const Ticket& ticket, TicketId number, const StreamGrant& grant) {
    VideoStream* stream = streams_.find(ticket.cameraId, grant.form);
    // Stopped meanwhile, or started once more: then a later grant is the one to follow.
    const bool late = stream != nullptr && formOf(ticket.action) && stream->wish != number;
    if (stream != nullptr && !late && !streams_.attach(*stream, grant, now())) return readsTooSlowly();
    settle(ticket.request, ticket.cameraId,
           streamStatusMessage(reportOf(ticket.cameraId, stream), around_.clock.utc()));
}

void Session::applyInForce(const Ticket& ticket, const QualityInForce& inForce) {
    for (VideoStream& stream : streams_.all()) {
        if (stream.cameraId != ticket.cameraId) continue;
        stream.quality = inForce.quality;
        stream.targetKbps = inForce.targetBitrateKbps;
    }
    settle(ticket.request, ticket.cameraId,
           qualityMessage(reportOf(ticket.cameraId), inForce, around_.clock.utc()));
}

void Session::applyRefusal(const Ticket& ticket, TicketId number, const Refusal& refusal) {
    const auto form = formOf(ticket.action);
    const VideoStream* stream = form ? streams_.find(ticket.cameraId, *form) : nullptr;
    if (stream != nullptr && stream->wish == number && !stream->attached) {
        streams_.end(ticket.cameraId, form);
        // A stream that comes after its request has failed would surprise the peer.
        submitSilently(ticket.cameraId, StopStream{form});
        if (isHub() && std::ranges::find(around_.hub->start, ticket.cameraId) != around_.hub->start.end()) {
            const bool forGood =
                refusal.code == ErrorCode::unsupported || refusal.code == ErrorCode::forbidden;
            startsToCome_[ticket.cameraId] =
                forGood ? std::nullopt : std::optional(now() + kUnaskedStartInterval);
        }
    }
    settle(ticket.request, ticket.cameraId, errorMessage(refusal, ticket.cameraId));
}

void Session::handOver(const Ticket& ticket, const SnapshotTaken& snapshot) {
    Chunk picture = snapshot.jpeg;
    picture.kind = ChunkKind::jpeg;
    if (!picture.payload) {
        return settle(ticket.request, ticket.cameraId,
                      errorMessage({ErrorCode::internal, "an empty picture", ""}, ticket.cameraId));
    }
    picture.channel = nextOneShot();
    if (!lanes_.push(Lane::bulk, cutIntoParts(picture, around_.limits.partBytes), now())) {
        return settle(ticket.request, ticket.cameraId,
                      errorMessage({ErrorCode::busy, "too much waits to be read", ""}, ticket.cameraId));
    }
    settle(ticket.request, ticket.cameraId, transferMessage(transfers_, ticket.cameraId, picture));
}

void Session::regrant(const std::string& cameraId, const StreamGrant& grant) {
    VideoStream* stream = streams_.find(cameraId, grant.form);
    if (stream == nullptr || closeWish_ || !grant_.covers(cameraId)) return;
    if (planState() == PlanState::eventsOnly) return;  // it was on its way when all streams were let go
    if (!streams_.attach(*stream, grant, now())) return readsTooSlowly();
    if (grant.rendition == 0) {
        send(errorMessage({ErrorCode::unsupported, kNoCommonCoding, "codecs"}, cameraId));
        stream->trouble = kNoCommonCoding;
    }
    tellStream(*stream);
}

void Session::cameraChanged(const CameraStatus& status) {
    if (!authenticated_ || closeWish_ || !grant_.covers(status.cameraId)) return;
    const auto known = told_.find(status.cameraId);
    const bool first = known == told_.end();
    const bool failed =
        status.state == CameraState::error && (first || known->second.state != CameraState::error);
    const bool changed = first || isNews(known->second, status);
    told_[status.cameraId] = status;
    if (!changed) return;
    if (subscription_.wants(status.cameraId, "stream_status")) tellCamera(status.cameraId);
    if (failed && subscription_.wants(status.cameraId, "error")) {
        send(errorMessage({ErrorCode::cameraFailed, status.reason, ""}, status.cameraId));
    }
    // One more in the list is news, also where the word is the same.
    if (subscription_.wants("", "system")) first ? tellStatus() : tellStatusIfChanged();
    if (startsToCome_.erase(status.cameraId) > 0) startUnasked(status.cameraId);
}

void Session::cameraRemoved(const std::string& cameraId) {
    if (!authenticated_ || closeWish_) return;
    told_.erase(cameraId);
    startsToCome_.erase(cameraId);
    const bool watched = streams_.end(cameraId, std::nullopt).any;
    if (!grant_.covers(cameraId)) return;
    if (watched || subscription_.wants(cameraId, "stream_status")) {
        StreamReport report;
        report.camera.cameraId = cameraId;
        report.camera.state = CameraState::stopped;
        report.camera.reason = kCameraGone;
        send(streamStatusMessage(report, around_.clock.utc()));
    }
    if (watched && subscription_.wants(cameraId, "error"))
        send(errorMessage({ErrorCode::unknownCamera, kCameraGone, ""}, cameraId));
    if (subscription_.wants("", "system")) tellStatus();
}

void Session::deliver(const WireChunk& chunk) {
    if (!authenticated_ || closeWish_) return;
    const VideoStreams::Delivery delivery = streams_.deliver(chunk, now());
    if (!delivery.room) return readsTooSlowly();
    // The lane of answers goes first: the channel is announced before its init segment.
    if (delivery.announce != nullptr) tellStream(*delivery.announce);
}

void Session::deliver(const FaceEvent& event) {
    if (!authenticated_ || closeWish_ || !grant_.covers(event.cameraId)) return;
    if (isHub() && around_.hub->purpose == Purpose::media) return;
    if (const auto wish = subscription_.admits(event)) tellFace(event, *wish);
}

void Session::deliver(const Detections& detections) {
    if (!authenticated_ || closeWish_ || !grant_.covers(detections.cameraId)) return;
    if (isHub() && around_.hub->purpose == Purpose::media) return;
    if (!subscription_.admits(detections, now())) return;
    sendPatiently(detectionsMessage(detections), Lane::lossy,
                  subscription_.patience(detections.cameraId, "detections"));
}

void Session::skipped(RenditionId rendition, const DropNotice& notice) {
    for (const VideoStream& stream : streams_.all()) {
        if (stream.attached && stream.rendition == rendition) {
            noteDrop(stream.cameraId, notice, "the agent was too busy");
        }
    }
}

void Session::setPartBytes(std::size_t bytes) {
    around_.limits.partBytes = bytes;
    streams_.setPartBytes(bytes);
}

void Session::linkCarries(int kbps, const std::shared_ptr<LinkGate>& gate) {
    const auto isVideo = [](const VideoStream& stream) {
        return stream.attached && stream.form == StreamForm::cmaf;
    };
    const auto count = std::ranges::count_if(streams_.all(), isVideo);
    if (count == 0) return;
    const int share = kbps / static_cast<int>(count);
    for (const VideoStream& stream : streams_.all()) {
        if (isVideo(stream)) submitSilently(stream.cameraId, FollowLink{share, gate});
    }
}

void Session::flushVideo() {
    lanes_.skipVideo();
    cutStaleVideo();
}

void Session::endOverdueTickets() {
    for (const TicketId number : book_.overdue(now())) {
        const auto ticket = book_.take(number);
        applyRefusal(*ticket, number, {ErrorCode::unavailable, "no answer in time", ""});
    }
}

void Session::cutStaleVideo() {
    const Monotonic time = now();
    for (const DropNotice& notice : lanes_.cut(time)) {
        noteDrop(streams_.cameraOf(notice.channel), notice, "waited too long for this connection");
    }
    if (planState() == PlanState::keyFrames) return;  // the next one comes when it is due
    for (VideoStream& stream : streams_.all()) {
        if (!stream.attached || !lanes_.awaitsKeyFrame(stream.rendition)) continue;
        if (stream.keyAskedAt && time < *stream.keyAskedAt + kKeyFrameInterval) continue;
        stream.keyAskedAt = time;
        submitSilently(stream.cameraId, ForceKeyFrame{});
    }
}

void Session::noteDrop(const std::string& cameraId, const DropNotice& notice, const char* reason) {
    PendingDrop& drop = drops_[notice.channel];
    drop.cameraId = cameraId;
    const bool first = drop.notice.frames == 0;
    drop.notice.fromSequence =
        first ? notice.fromSequence : std::min(drop.notice.fromSequence, notice.fromSequence);
    drop.reason = reason;
    drop.notice.channel = notice.channel;
    drop.notice.toSequence = std::max(drop.notice.toSequence, notice.toSequence);
    drop.notice.frames += notice.frames;
    drop.notice.bytes += notice.bytes;
}

/// Merged while the peer does not read: what tells of congestion must not add to it.
void Session::tellDrops() {
    const Monotonic time = now();
    for (auto& [channel, drop] : drops_) {
        const bool soon = drop.toldAt && time < *drop.toldAt + kDropInterval;
        if (drop.notice.frames == 0 || soon || lanes_.depth(Lane::answers) >= kAnswersWhileDropsWait)
            continue;
        send(dropMessage(drop.cameraId, drop.notice, drop.reason));
        drop.notice = {};
        drop.toldAt = time;
    }
}

void Session::reportBitrates() {
    // Between two key frames there is none, and to say so again and again would cost what is to be saved.
    if (planState() != PlanState::within) return;
    const Monotonic time = now();
    for (VideoStream& stream : streams_.all()) {
        if (!stream.attached || time < stream.reportedAt + kBitrateInterval) continue;
        const int kbps = stream.meter.kbps(time);
        const bool moved = std::abs(kbps - stream.reportedKbps) * 10 >= std::max(stream.reportedKbps, 1);
        if (!moved || !subscription_.wants(stream.cameraId, "stream_status")) continue;
        tellStream(stream);
    }
}

/// What of the status is told at once when it is another.
std::string Session::standing() const {
    std::string standing = statusWord(around_.agent, grant_, false);
    if (!around_.agent.figures) return standing;
    for (const auto& [name, plan] : around_.agent.figures->plans) {
        standing += concat(", ", name, " ", nameOf(plan.state));
    }
    return standing;
}

void Session::tellStatusIfChanged() {
    if (toldStatus_ != standing()) tellStatus();
}

void Session::tellStatus() {
    toldStatus_ = standing();
    send(statusMessage(around_.agent, grant_, statusWord(around_.agent, grant_, false), around_.clock));
}

StreamReport Session::reportOf(const std::string& cameraId, const VideoStream* stream) const {
    StreamReport report;
    report.camera.cameraId = cameraId;
    const auto camera = around_.agent.cameras.find(cameraId);
    if (camera != around_.agent.cameras.end()) report.camera = camera->second;
    if (stream == nullptr) return report;
    report.streaming = true;
    if (report.camera.reason.empty()) report.camera.reason = stream->trouble;
    if (report.camera.reason.empty()) report.camera.reason = planReason();
    report.form = stream->form;
    report.channel = stream->channel;
    report.format = stream->format;
    report.quality = stream->quality;
    report.measuredKbps = stream->reportedKbps;
    report.targetKbps = stream->targetKbps;
    report.liveFrom = stream->liveFrom;
    return report;
}

StreamReport Session::reportOf(const std::string& cameraId) const {
    const auto streams = streams_.of(cameraId);
    return reportOf(cameraId, streams.empty() ? nullptr : streams.front());
}

void Session::tellStream(VideoStream& stream) {
    stream.reportedAt = now();
    stream.reportedKbps = stream.meter.kbps(stream.reportedAt);
    send(streamStatusMessage(reportOf(stream.cameraId, &stream), around_.clock.utc()));
}

void Session::tellCamera(const std::string& cameraId) {
    bool told = false;
    for (VideoStream& stream : streams_.all()) {
        if (stream.cameraId != cameraId) continue;
        tellStream(stream);
        told = true;
    }
    if (!told) send(streamStatusMessage(reportOf(cameraId), around_.clock.utc()));
}

void Session::settle(const Request& request, const std::string& cameraId, const Message& message) {
    const std::string_view type = message.type;
    const bool isPlainOk = type == "ok";
    auditSettled(*request, cameraId, message);
    if (!request->many) {
        if (request->id || !isPlainOk) answer(request->id, message, request->behind);
        return;
    }
    request->results.push_back(resultText(cameraId, message));
    // What announces a channel or a transfer has to be heard before its bytes, not when the last camera is
    // ready.
    const bool onlyInResults = isPlainOk || (type == "error" && request->id);
    if (onlyInResults) {
        noteError(message);
    } else {
        answer(std::nullopt, message, request->behind);
    }
    if (--request->open == 0 && request->id) {
        answer(request->id, resultsMessage(request->results), request->behind);
    }
}

void Session::answer(const Id& id, const Message& message, const std::vector<RenditionId>& behind) {
    noteError(message);
    const WireMessage text = WireMessage::text(envelope(message, id));
    if (!lanes_.pushBehind(behind, text, now())) return readsTooSlowly();
    if (id && authenticated_) book_.finish(*id, text);
}

void Session::answerOk(const Id& id, const Message& message) {
    if (id) answer(id, message);
}

void Session::send(const Message& message, Lane lane) {
    noteError(message);
    const bool taken = lanes_.push(lane, WireMessage::text(envelope(message)), now());
    if (!taken && lane == Lane::answers) readsTooSlowly();
}

void Session::sendPatiently(const Message& message, Lane lane, Microseconds patience, std::int64_t mark) {
    MessageBatch& batch = batches_[lane];
    batch.add(envelope(message), mark, now() + patience);
    // Through the batch also when it may not wait: what was told before it goes before it.
    if (batch.due(now())) flushBatch(lane);
}

void Session::flushBatches(bool all) {
    for (auto& [lane, batch] : batches_) {
        if (batch.due(now()) || (all && !batch.empty())) flushBatch(lane);
    }
}

void Session::flushBatch(Lane lane) {
    const bool taken = lanes_.push(lane, batches_[lane].take(deflate_), now());
    // A hole in what is sent again would be acknowledged away: the next connection begins before it.
    if (!taken && lane == Lane::replay) closePlanned(1001, "too much waits to be sent again");
}

}  // namespace edgecam::uplink
