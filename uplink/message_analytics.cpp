#include "uplink/message_analytics.hpp"

namespace edgecam::uplink {
namespace {

/// The number of those that stayed no longer than each bound, and of all.
void dwell(JsonWriter& json, const DwellTimes& of) {
    const std::uint64_t count = of.count();
    json.key("dwell").beginObject().field("count", count);
    json.key("sum_s").rounded(secondsOf(of.sum), 3).key("until_s").beginArray();
    std::uint64_t until = 0;
    for (std::size_t i = 0; i < DwellTimes::kBounds.size(); ++i) {
        until += of.counts[i];
        json.beginArray().rounded(secondsOf(DwellTimes::kBounds[i]), 0).value(until).endArray();
    }
    json.endArray().endObject();
}

void faces(JsonWriter& json, const FaceFigures& of) {
    json.field("present", of.present).field("last_minute", of.lastMinute);
    json.field("entered", of.entered).field("left", of.left);
    dwell(json, of.dwell);
}

}  // namespace

Message analyticsMessage(const AgentView& agent,
                         const std::function<bool(const std::string& cameraId)>& shown, Utc now) {
    JsonWriter json;
    json.beginObject().key("timestamp").rounded(secondsOf(now), 3).key("cameras").beginArray();
    for (const auto& [id, status] : agent.cameras) {
        if (!shown(id) || !agent.figures || !agent.figures->cameras.contains(id)) continue;
        const CameraFigures& figures = agent.figures->cameras.at(id);
        json.beginObject().field("camera_id", id);
        faces(json, figures.faces);
        json.key("zones").beginArray();
        for (const auto& [name, zone] : figures.zones) {
            json.beginObject().field("zone", name);
            faces(json, zone);
            json.endObject();
        }
        json.endArray().endObject();
    }
    json.endArray().endObject();
    return {"analytics", nullptr, json.take()};
}

}  // namespace edgecam::uplink
