#include "uplink/message_text.hpp"

#include <openssl/evp.h>

#include <algorithm>
#include <array>

namespace edgecam::uplink {
namespace {

constexpr std::int64_t kProtocol = 1;
constexpr std::array kFeatures{"ack", "deflate", "media_ack"};  ///< what we can, where a hub can it too
constexpr int kBoxDecimals = 5;                                 ///< a twentieth of a pixel at 4K
constexpr int kConfidenceDecimals = 4;
constexpr int kSecondDecimals = 3;

/// Seconds since the epoch with all six digits of the fraction, never in scientific notation.
std::string secondsText(Utc time) {
    const std::uint64_t us = microsecondsOf(time);
    const std::string fraction = std::to_string(us % 1'000'000);
    return std::to_string(us / 1'000'000) + "." + std::string(6 - fraction.size(), '0') + fraction;
}

void seconds(JsonWriter& json, std::string_view name, Utc time) {
    json.key(name).raw(secondsText(time));
}

void size(JsonWriter& json, Size of) {
    if (!of.empty()) json.field("width", of.width).field("height", of.height);
}

void names(JsonWriter& json, const char* key, const std::vector<std::string>& of) {
    if (of.empty()) return;
    json.key(key).beginArray();
    for (const std::string& name : of) json.value(name);
    json.endArray();
}

void box(JsonWriter& json, const RectNorm& of) {
    json.key("box").beginArray();
    for (const float side : {of.x, of.y, of.width, of.height}) json.rounded(side, kBoxDecimals);
    json.endArray();
}

void frame(JsonWriter& json, const FrameRef& of) {
    json.key("frame").beginObject().field("sequence", of.sequence);
    json.field("capture_us", microsecondsOf(of.captureTime));
    size(json, of.size);
    json.endObject();
}

void face(JsonWriter& json, const Face& of) {
    box(json, of.box);
    json.key("confidence").rounded(of.confidence, kConfidenceDecimals);
    if (!of.landmarks) return;
    json.key("landmarks").beginArray();
    for (const PointNorm& point : *of.landmarks) {
        json.beginArray().rounded(point.x, kBoxDecimals).rounded(point.y, kBoxDecimals).endArray();
    }
    json.endArray();
}

/// What is known of a face that was there for a while.
void history(JsonWriter& json, const FaceEvent& event) {
    if (event.best) {
        json.key("best").beginObject().key("quality").rounded(event.best->quality, kConfidenceDecimals);
        box(json, event.best->box);
        frame(json, event.best->frame);
        json.endObject();
    }
    if (event.path.empty()) return;
    json.key("path").beginArray();
    for (const PathPoint& point : event.path) {
        json.beginArray().rounded(point.centre.x, kBoxDecimals).rounded(point.centre.y, kBoxDecimals);
        json.rounded(secondsOf(point.since), kSecondDecimals).endArray();
    }
    json.endArray();
}

std::string base64Of(ByteView bytes) {
    // Four characters for three bytes, and a NUL behind them.
    std::string text((bytes.size() + 2) / 3 * 4 + 1, '\0');
    EVP_EncodeBlock(reinterpret_cast<unsigned char*>(text.data()), bytes.data(),
                    static_cast<int>(bytes.size()));
    text.pop_back();
    return text;
}

void snapshot(JsonWriter& json, const FaceEvent& event, const std::optional<SnapshotNote>& note) {
    if (!note || !event.snapshot) return;
    if (note->channel) {
        json.key("snapshot").beginObject().field("channel", std::uint32_t{*note->channel});
        json.field("sequence", note->sequence);
        json.field("bytes", static_cast<std::uint64_t>(event.snapshot->bytes));
        size(json, event.snapshot->size);
        json.endObject();
    } else if (event.snapshot->jpeg) {
        json.field("snapshot", base64Of(*event.snapshot->jpeg));
    }
}

void faceEvent(JsonWriter& json, const FaceEvent& event, FacePhase phase) {
    json.field("event_id", event.eventId).field("camera_id", event.cameraId).field("phase", nameOf(phase));
    json.field("track_id", event.trackId);
    seconds(json, "timestamp", event.timestamp);
    json.field("clock_synced", event.clockSynced);
    seconds(json, "first_seen", event.firstSeen);
    seconds(json, "last_seen", event.lastSeen);
    if (phase == FacePhase::leave) {
        const double stayed = secondsOf(event.lastSeen - event.firstSeen);
        json.key("duration_s").rounded(std::max(stayed, 0.0), kSecondDecimals);
    }
    json.key("face").beginObject();
    face(json, event.face);
    if (event.quality > 0) json.key("quality").rounded(event.quality, kConfidenceDecimals);
    json.endObject();
    frame(json, event.frame);
    names(json, "zones", event.zones);
    names(json, "zones_entered", event.zonesEntered);
    names(json, "zones_left", event.zonesLeft);
    history(json, event);
}

void analysis(JsonWriter& json, const Analysis& analysis) {
    if (analysis.rateHz <= 0) return;
    json.key("analysis").beginObject().key("rate_hz").rounded(analysis.rateHz, 3);
    size(json, analysis.size);
    if (!analysis.reason.empty()) json.field("reason", analysis.reason);
    json.endObject();
}

void camera(JsonWriter& json, const CameraStatus& status) {
    json.beginObject().field("camera_id", status.cameraId).field("state", nameOf(status.state));
    if (!status.reason.empty()) json.field("reason", status.reason);
    if (!status.warning.empty()) json.field("warning", status.warning);
    size(json, status.size);
    if (status.frameRate > 0) json.key("framerate").rounded(status.frameRate, 3);
    if (!status.detector.empty()) json.field("detector", status.detector);
    analysis(json, status.analysis);
    json.field("restarts", status.restarts).endObject();
}

/// A hub that hears this is reached: the news of it may still be on its way.
bool isLive(const AgentView& agent, const UplinkStatus& uplink) {
    return uplink.state == UplinkState::live || uplink.id() == agent.ownUplink;
}

void plan(JsonWriter& json, const PlanFigures& of) {
    constexpr double kMegabyte = 1e6;
    json.key("plan").beginObject();
    json.key("monthly_mb").rounded(static_cast<double>(of.monthlyBytes) / kMegabyte, 3);
    json.key("used_mb").rounded(static_cast<double>(of.usedBytes) / kMegabyte, 3);
    json.field("state", nameOf(of.state));
    if (of.until) seconds(json, "until", *of.until);
    json.endObject();
}

void uplink(JsonWriter& json, const AgentView& agent, const UplinkStatus& status) {
    const bool live = isLive(agent, status);
    json.beginObject().field("name", status.name).field("purpose", nameOf(status.purpose));
    json.field("url", status.url);
    json.field("state", nameOf(live ? UplinkState::live : status.state));
    if (!live && !status.reason.empty()) json.field("reason", status.reason);
    if (!live && status.retryAt) seconds(json, "retry_at", *status.retryAt);
    json.field("attempts", status.attempts);
    if (agent.figures) {
        const auto metered = agent.figures->plans.find(status.name);
        if (metered != agent.figures->plans.end()) plan(json, metered->second);
    }
    json.endObject();
}

/// Null: there is nobody to keep events for, or the figures have not come yet.
const JournalStatus* journalOf(const AgentView& agent) {
    return agent.figures && agent.figures->journal ? &*agent.figures->journal : nullptr;
}

void journal(JsonWriter& json, const JournalStatus& status) {
    json.key("journal").beginObject().field("ok", status.ok);
    if (!status.trouble.empty()) json.field("reason", status.trouble);
    if (!status.journal.empty()) json.field("journal", status.journal);
    json.field("records", status.records).field("bytes", status.bytes);
    json.field("discarded", status.discarded).field("unstored", status.unstored).endObject();
}

void format(JsonWriter& json, const StreamReport& report) {
    const StreamFormat& is = *report.format;
    json.field("codec", is.codecString).field("mime", is.mime);
    size(json, is.size);
    if (is.frameRate > 0) json.key("framerate").rounded(is.frameRate, 3);
    json.field("source", isPassedThrough(is.kind) ? "passthrough" : "encoded");
    json.field("rendition", nameOf(is.kind));
    if (!is.encoder.empty()) json.field("encoder", is.encoder);
}

/// The message but for its last fields, which the caller adds.
void streamReport(JsonWriter& json, const StreamReport& report) {
    json.beginObject().field("camera_id", report.camera.cameraId);
    json.field("state", nameOf(report.camera.state)).field("streaming", report.streaming).key("channel");
    if (report.channel) {
        json.value(std::uint32_t{*report.channel});
    } else {
        json.null();
    }
    if (report.streaming) json.field("format", report.form == StreamForm::cmaf ? "cmaf" : "jpeg");
    if (report.format) {
        format(json, report);
    } else {
        size(json, report.camera.size);
        if (report.camera.frameRate > 0) json.key("framerate").rounded(report.camera.frameRate, 3);
    }
    if (report.measuredKbps > 0) json.field("bitrate_kbps", report.measuredKbps);
    if (report.targetKbps > 0) json.field("target_bitrate_kbps", report.targetKbps);
    if (!report.quality.empty()) json.field("quality", report.quality);
    if (!report.camera.reason.empty()) json.field("reason", report.camera.reason);
    if (!report.camera.warning.empty()) json.field("warning", report.camera.warning);
    analysis(json, report.camera.analysis);
    if (report.liveFrom) json.field("live_from_us", microsecondsOf(*report.liveFrom));
}

void filter(JsonWriter& json, const FaceFilter& of) {
    json.key("filter").beginObject();
    if (of.minConfidence > 0) json.key("min_confidence").rounded(of.minConfidence, kConfidenceDecimals);
    if (of.minFacePx > 0) json.field("min_face_px", of.minFacePx);
    if (!of.phases.empty()) {
        json.key("phases").beginArray();
        for (const FacePhase phase : of.phases) json.value(nameOf(phase));
        json.endArray();
    }
    names(json, "zones", of.zones);
    json.endObject();
}

}  // namespace

std::string envelope(const Message& message, const std::optional<std::string>& id) {
    JsonWriter json;
    json.beginObject().field("type", message.type);
    if (message.event != nullptr) json.field("event", message.event);
    if (id) json.key("id").raw(*id);
    json.key("data").raw(message.data).endObject();
    return json.take();
}

Message authenticatedMessage(SessionId session, Role role, const std::vector<std::string>& features) {
    JsonWriter json;
    json.beginObject().field("session", std::to_string(session)).field("role", nameOf(role));
    json.key("features").beginArray();
    for (const std::string& feature : features) json.value(feature);
    json.endArray().field("protocol", kProtocol).endObject();
    return {"system", "authenticated", json.take()};
}

const char* statusWord(const AgentView& agent, const Grant& grant, bool stopping) {
    if (stopping) return "stopping";
    const bool ill = std::ranges::any_of(agent.cameras, [&](const auto& item) {
        const CameraState state = item.second.state;
        return grant.covers(item.first) &&
               (state == CameraState::degraded || state == CameraState::reconnecting ||
                state == CameraState::error);
    });
    const auto saves = [](const auto& item) { return item.second.state != PlanState::within; };
    const bool saving = agent.figures && std::ranges::any_of(agent.figures->plans, saves);
    const bool cutOff =
        !std::ranges::all_of(agent.uplinks, [&](const auto& item) { return isLive(agent, item.second); });
    const JournalStatus* journal = journalOf(agent);
    const bool losing = journal != nullptr && !journal->ok;
    return ill || cutOff || losing || saving ? "degraded" : "online";
}

Message statusMessage(const AgentView& agent, const Grant& grant, const char* word, const Clock& clock) {
    const auto uptime = std::chrono::duration_cast<std::chrono::seconds>(clock.monotonic() - agent.startedAt);
    JsonWriter json;
    json.beginObject().field("status", word);
    seconds(json, "timestamp", clock.utc());
    json.key("agent").beginObject().field("id", agent.agentId).field("version", agent.version);
    json.field("uptime_s", static_cast<std::int64_t>(uptime.count())).endObject();
    json.key("cameras").beginArray();
    for (const auto& [id, status] : agent.cameras) {
        if (grant.covers(id)) camera(json, status);
    }
    json.endArray().key("uplinks").beginArray();
    for (const auto& [name, status] : agent.uplinks) uplink(json, agent, status);
    json.endArray();
    if (const JournalStatus* of = journalOf(agent)) journal(json, *of);
    json.endObject();
    return {"system", "status", json.take()};
}

Message reauthenticateMessage(Microseconds left) {
    JsonWriter json;
    json.beginObject().key("ends_in_s").rounded(static_cast<double>(left.count()) / 1e6, 1).endObject();
    return {"system", "reauthenticate", json.take()};
}

Message sessionsMessage(const std::vector<SessionEntry>& sessions, SessionId asking, Monotonic now) {
    JsonWriter json;
    json.beginObject().key("sessions").beginArray();
    for (const SessionEntry& entry : sessions) {
        const double seconds = static_cast<double>((now - entry.sinceMonotonic).count()) / 1e6;
        json.beginObject().field("session", std::to_string(entry.id)).field("name", entry.grant.name);
        json.field("role", nameOf(entry.grant.role)).field("address", entry.address);
        if (!entry.uplink.empty()) json.field("uplink", entry.uplink);
        if (!entry.instance.empty()) json.field("instance", entry.instance);
        if (!entry.purpose.empty()) json.field("purpose", entry.purpose);
        json.field("since", secondsOf(entry.since)).key("seconds").rounded(seconds, 1);
        if (entry.grant.endsAt) json.field("token_ends", secondsOf(*entry.grant.endsAt));
        json.field("bytes_in", entry.use.bytesIn).field("bytes_out", entry.use.bytesOut);
        json.field("messages_in", entry.use.messagesIn).field("messages_out", entry.use.messagesOut);
        json.field("commands", entry.use.commands).field("own", entry.id == asking).endObject();
    }
    json.endArray().endObject();
    return {"sessions", nullptr, json.take()};
}

Message tokenRotatedMessage(const TokenRotated& rotated) {
    JsonWriter json;
    json.beginObject().field("token", rotated.token);
    json.key("old_holds_s").rounded(static_cast<double>(rotated.oldHoldsFor.count()) / 1e6, 1).endObject();
    return {"rotate_token", nullptr, json.take()};
}

Message goingAwayMessage(Microseconds retryAfter) {
    JsonWriter json;
    json.beginObject().key("retry_after_s");
    json.rounded(secondsOf(retryAfter), 3).endObject();
    return {"system", "going_away", json.take()};
}

Message streamStatusMessage(const StreamReport& report, Utc now) {
    JsonWriter json;
    streamReport(json, report);
    seconds(json, "timestamp", now);
    json.endObject();
    return {"stream_status", nullptr, json.take()};
}

Message qualityMessage(const StreamReport& report, const QualityInForce& inForce, Utc now) {
    StreamReport changed = report;
    changed.quality = inForce.quality;
    changed.targetKbps = inForce.targetBitrateKbps;
    if (!changed.format) {
        if (!inForce.size.empty()) changed.camera.size = inForce.size;
        if (inForce.frameRate > 0) changed.camera.frameRate = inForce.frameRate;
    }
    return streamStatusMessage(changed, now);
}

Message faceMessage(const FaceEvent& event, const std::optional<SnapshotNote>& note, bool replay) {
    JsonWriter json;
    json.beginObject();
    faceEvent(json, event, replay ? FacePhase::enter : event.phase);
    snapshot(json, event, note);
    if (replay) json.field("replay", true);
    json.endObject();
    return {"face_detected", nullptr, json.take()};
}

Message faceMessage(const FaceEvent& event, const std::optional<SnapshotNote>& note,
                    const DurablePlace& place) {
    JsonWriter json;
    json.beginObject().field("journal", place.journal).field("seq", place.seq);
    json.field("prev_seq", place.previous);
    faceEvent(json, event, event.phase);
    snapshot(json, event, note);
    json.endObject();
    return {"face_detected", nullptr, json.take()};
}

Message gapMessage(const Gap& gap, std::string_view journal) {
    JsonWriter json;
    json.beginObject().field("journal", journal).field("from_seq", gap.fromSeq).field("to_seq", gap.toSeq);
    json.field("count", gap.count).field("reason", gap.reason).endObject();
    return {"gap", nullptr, json.take()};
}

Message detectionsMessage(const Detections& detections) {
    JsonWriter json;
    json.beginObject().field("camera_id", detections.cameraId).key("frame").beginObject();
    json.field("sequence", detections.frame.sequence);
    json.field("capture_us", microsecondsOf(detections.frame.captureTime)).endObject();
    json.key("faces").beginArray();
    for (const TrackedFace& tracked : detections.faces) {
        json.beginObject().field("track_id", tracked.trackId);
        face(json, tracked.face);
        json.endObject();
    }
    json.endArray().endObject();
    return {"detections", nullptr, json.take()};
}

Message dropMessage(const std::string& cameraId, const DropNotice& notice, const char* reason) {
    JsonWriter json;
    json.beginObject().field("camera_id", cameraId).field("channel", std::uint32_t{notice.channel});
    json.field("from_sequence", notice.fromSequence).field("to_sequence", notice.toSequence);
    json.field("frames", notice.frames).field("bytes", notice.bytes).field("reason", reason).endObject();
    return {"drop", nullptr, json.take()};
}

Message transferMessage(std::uint64_t transfer, const std::string& cameraId, const Chunk& chunk) {
    JsonWriter json;
    json.beginObject().field("id", transfer);
    json.field("kind", chunk.kind == ChunkKind::clip ? "clip" : "jpeg").field("camera_id", cameraId);
    json.field("channel", std::uint32_t{chunk.channel});
    json.field("bytes", static_cast<std::uint64_t>(chunk.payload->size())).endObject();
    return {"transfer", nullptr, json.take()};
}

Message heartbeatMessage(const std::optional<std::string>& t0, Utc received, Utc sent) {
    JsonWriter json;
    json.beginObject();
    if (t0) json.key("t0").raw(*t0);
    json.field("t1", microsecondsOf(received)).field("t2", microsecondsOf(sent));
    seconds(json, "timestamp", sent);
    json.endObject();
    return {"heartbeat", nullptr, json.take()};
}

Message subscriptionsMessage(const Subscription& subscription) {
    JsonWriter json;
    json.beginObject().key("subscriptions").beginObject();
    for (const auto& [topic, entry] : subscription.entries()) {
        json.key(topic).beginObject();
        if (entry.filter != FaceFilter{}) filter(json, entry.filter);
        if (entry.rateHz) json.field("rate_hz", *entry.rateHz);
        if (entry.snapshots != SnapshotWish::none)
            json.field("snapshots", entry.snapshots == SnapshotWish::inlined ? "inline" : "transfer");
        if (entry.batch.count() > 0)
            json.field("batch_ms", std::int64_t{entry.batch / std::chrono::milliseconds(1)});
        json.endObject();
    }
    json.endObject().endObject();
    return {"ok", nullptr, json.take()};
}

Message errorMessage(const Refusal& refusal, const std::string& cameraId) {
    JsonWriter json;
    json.beginObject().field("code", nameOf(refusal.code)).field("message", refusal.message);
    if (!refusal.field.empty()) json.field("field", refusal.field);
    if (!cameraId.empty()) json.field("camera_id", cameraId);
    json.endObject();
    return {"error", nullptr, json.take(), refusal};
}

Message resultsMessage(const std::vector<std::string>& results) {
    JsonWriter json;
    json.beginObject().key("results").beginArray();
    for (const std::string& result : results) json.raw(result);
    json.endArray().endObject();
    return {"ok", nullptr, json.take()};
}

std::string resultText(const std::string& cameraId, const Message& message) {
    JsonWriter json;
    json.beginObject().field("camera_id", cameraId).field("type", message.type);
    json.key("data").raw(message.data).endObject();
    return json.take();
}

std::string hubAuthText(const AgentView& agent, const HubCredentials& hub, const std::string& token,
                        SessionId session) {
    JsonWriter json;
    json.beginObject().field("type", "auth").field("token", token).field("agent_id", agent.agentId);
    json.field("instance", agent.instance).field("session", std::to_string(session));
    json.field("purpose", nameOf(hub.purpose)).field("version", agent.version);
    json.key("protocol").beginArray().value(kProtocol).endArray();
    json.key("features").beginArray();
    for (const char* feature : kFeatures) json.value(feature);
    json.endArray();
    if (hub.purpose != Purpose::media && !agent.journal.empty()) json.field("journal", agent.journal);
    json.key("cameras").beginArray();
    for (const auto& [id, status] : agent.cameras) {
        if (hub.grant.covers(id)) json.value(id);
    }
    json.endArray().endObject();
    return json.take();
}

}  // namespace edgecam::uplink
