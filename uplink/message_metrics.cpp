#include "uplink/message_metrics.hpp"

namespace edgecam::uplink {
namespace {

void connectionPart(JsonWriter& json, SessionId session, const ConnectionFigures& of) {
    json.key("connection").beginObject().field("session", std::to_string(session));
    json.field("role", nameOf(of.role)).key("age_s").rounded(secondsOf(of.age), 3);
    json.field("bytes_in", of.traffic.bytesIn).field("bytes_out", of.traffic.bytesOut);
    json.field("messages_in", of.traffic.messagesIn).field("messages_out", of.traffic.messagesOut);
    json.endObject();
}

void lanesPart(JsonWriter& json, const LaneTable& lanes) {
    json.key("lanes").beginArray();
    for (std::size_t lane = 0; lane < lanes.size(); ++lane) {
        json.beginObject().field("lane", laneName(lane));
        json.field("depth", std::uint64_t{lanes[lane].depth})
            .field("bytes", std::uint64_t{lanes[lane].bytes});
        json.key("age_s").rounded(secondsOf(lanes[lane].age), 3);
        json.field("dropped", lanes[lane].dropped).endObject();
    }
    json.endArray();
}

void streamsPart(JsonWriter& json, const std::vector<StreamFigures>& streams) {
    json.key("streams").beginArray();
    for (const StreamFigures& stream : streams) {
        json.beginObject().field("camera_id", stream.cameraId);
        json.field("format", stream.form == StreamForm::cmaf ? "cmaf" : "jpeg").key("channel");
        if (stream.channel) {
            json.value(std::uint32_t{*stream.channel});
        } else {
            json.null();
        }
        json.field("bitrate_kbps", stream.kbps).endObject();
    }
    json.endArray();
}

void errorsPart(JsonWriter& json, const std::map<ErrorCode, ErrorFigures>& errors) {
    json.key("errors").beginArray();
    for (const auto& [code, error] : errors) {
        json.beginObject().field("code", nameOf(code)).field("count", error.count);
        json.field("last_message", error.lastText).key("last_at").rounded(secondsOf(error.lastAt), 3);
        json.endObject();
    }
    json.endArray();
}

void counts(JsonWriter& json, const CameraFigures& of) {
    json.field("pictures", of.pictures).field("decoding", nameOf(of.decoding));
    json.field("sub_decoding", nameOf(of.subDecoding)).field("decoder_drops", of.decoderDrops);
    json.field("encoder_drops", of.encoderDrops).field("decoder_failures", of.decoderFailures);
    json.field("encoder_failures", of.encoderFailures);
    json.key("vision").beginObject().field("analysed", of.analysed).field("skipped", of.skipped);
    json.field("still", of.still);
    json.field("failed", of.failed).key("last_ms").rounded(secondsOf(of.lastAnalysis) * 1000, 1).endObject();
    json.key("events").beginObject();
    for (const FacePhase phase : {FacePhase::enter, FacePhase::update, FacePhase::leave}) {
        json.field(nameOf(phase), of.events[static_cast<std::size_t>(phase)]);
    }
    json.endObject();
}

void linkPart(JsonWriter& json, const LinkFigures& of) {
    json.key("link").beginObject().field("state", nameOf(of.state)).field("target_kbps", of.targetKbps);
    json.field("is_limit", of.isLimit).field("carried_kbps", of.carriedKbps);
    json.key("delay_ms").rounded(secondsOf(of.delay) * 1000, 1);
    json.key("round_trip_ms").rounded(secondsOf(of.roundTrip) * 1000, 1);
    json.key("receiver_limited").rounded(of.receiverLimited, 2);
    if (of.ackDelay) json.key("ack_delay_ms").rounded(secondsOf(*of.ackDelay) * 1000, 1);
    json.endObject();
}

}  // namespace

void writeCameraFigures(JsonWriter& json, const AgentView& agent,
                        const std::function<bool(const std::string& cameraId)>& shown) {
    json.key("cameras").beginArray();
    for (const auto& [id, status] : agent.cameras) {
        if (!shown(id)) continue;
        json.beginObject().field("camera_id", id).field("state", nameOf(status.state));
        json.field("restarts", status.restarts);
        if (agent.figures && agent.figures->cameras.contains(id)) counts(json, agent.figures->cameras.at(id));
        json.endObject();
    }
    json.endArray();
}

void writeProcess(JsonWriter& json, const ProcessFigures& of) {
    json.key("process").beginObject().field("resident_bytes", of.residentBytes);
    json.field("anonymous_bytes", of.anonymousBytes).key("cpu_s").rounded(of.cpuSeconds, 3);
    json.field("threads", of.threads).field("descriptors", of.descriptors).endObject();
}

Message metricsMessage(SessionId session, const ConnectionFigures& connection, const AgentView& agent,
                       const std::function<bool(const std::string& cameraId)>& shown, Utc now) {
    JsonWriter json;
    json.beginObject().key("timestamp").rounded(secondsOf(now), 3);
    connectionPart(json, session, connection);
    if (connection.link) linkPart(json, *connection.link);
    lanesPart(json, connection.lanes);
    streamsPart(json, connection.streams);
    errorsPart(json, connection.errors);
    writeCameraFigures(json, agent, shown);
    if (agent.figures) writeProcess(json, agent.figures->process);
    json.endObject();
    return {"metrics", nullptr, json.take()};
}

}  // namespace edgecam::uplink
