#include "agent/diagnostics.hpp"

#include <glib.h>
#include <sys/sysinfo.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <array>
#include <thread>

#include "agent/libraries.hpp"
#include "agent/process_figures.hpp"
#include "base/json.hpp"
#include "uplink/message_metrics.hpp"
#include "uplink/message_text.hpp"

namespace edgecam::agent {
namespace {

void writeMachine(JsonWriter& json) {
    json.key("machine").beginObject();
    g_autofree char* system = g_get_os_info(G_OS_INFO_KEY_PRETTY_NAME);
    if (system != nullptr) json.field("system", system);
    utsname kernel{};
    if (uname(&kernel) == 0) json.field("kernel", kernel.release).field("architecture", kernel.machine);
    json.field("processors", std::thread::hardware_concurrency());
    struct sysinfo now {};
    if (sysinfo(&now) == 0) {
        json.field("uptime_s", static_cast<std::int64_t>(now.uptime));
        json.field("memory_bytes", std::uint64_t{now.totalram} * now.mem_unit);
        json.field("free_bytes", std::uint64_t{now.freeram} * now.mem_unit);
        json.key("load").beginArray();
        for (const unsigned long load : now.loads)
            json.rounded(static_cast<double>(load) / (1 << SI_LOAD_SHIFT), 2);
        json.endArray();
    }
    json.endObject();
}

/// What each camera was told to be; how it does is in the status and the figures.
void writeSources(JsonWriter& json, const Config& config) {
    json.key("sources").beginArray();
    for (const CameraConfig& camera : config.cameras) {
        json.beginObject().field("camera_id", camera.id).field("source", camera.source.shown());
        if (camera.substream) json.field("substream", camera.substream->shown());
        json.endObject();
    }
    json.endArray();
}

void writeLines(JsonWriter& json, const std::vector<LogLine>& lines) {
    json.key("log").beginArray();
    for (const LogLine& line : lines) {
        json.beginObject().key("timestamp").rounded(secondsOf(line.at), 3);
        json.field("level", nameOf(line.level)).field("area", line.area).field("line", line.text);
        json.endObject();
    }
    json.endArray();
}

}  // namespace

std::string diagnosticsText(const Diagnosis& of, const Clock& clock) {
    const uplink::Grant everything{.role = uplink::Role::admin, .cameras = {}};
    const char* word = uplink::statusWord(of.view, everything, false);
    JsonWriter json;
    json.beginObject().key("timestamp").rounded(secondsOf(clock.utc()), 3);
    json.field("clock_synced", clock.synced()).field("instance", of.view.instance);
    json.field("pid", static_cast<std::int64_t>(getpid()));
    if (!of.page.empty()) json.field("page", of.page);
    json.key("status").raw(uplink::statusMessage(of.view, everything, word, clock).data);
    json.key("config").beginObject();
    of.configDesk.writeStanding(json);
    json.endObject();
    writeSources(json, of.config);
    uplink::writeCameraFigures(json, of.view, [](const auto&) { return true; });
    uplink::writeProcess(json, processFigures());
    writeMachine(json);
    json.key("versions").beginObject().field("edgecam", of.view.version);
    for (const auto& [name, version] : libraryVersions()) json.field(name, version);
    json.endObject();
    writeLines(json, of.log);
    return json.endObject().take();
}

}  // namespace edgecam::agent
