// Agent: what it says of itself. The main thread gathers figures once a second and publishes them like any
// other news; a scrape reads what was published and waits for nobody.
#include <unistd.h>

#include "agent/agent.hpp"
#include "agent/page_url.hpp"
#include "agent/process_figures.hpp"
#include "base/json.hpp"
#include "base/log.hpp"
#include "uplink/message_text.hpp"

namespace edgecam::agent {
namespace {

uplink::CameraFigures figuresOf(const CameraUnit& unit) {
    const capture::CameraActivity activity = unit.camera->activity();
    uplink::CameraFigures figures{.pictures = activity.pictures,
                                  .decoderDrops = activity.decoderDrops,
                                  .encoderDrops = activity.encoderDrops,
                                  .decoderFailures = activity.decoderFailures,
                                  .encoderFailures = activity.encoderFailures,
                                  .passthroughDelays = activity.passthroughDelays,
                                  .subDelays = activity.subDelays,
                                  .encodedDelays = activity.encodedDelays,
                                  .jpegDelays = activity.jpegDelays};
    if (!unit.vision) return figures;
    const vision::VisionWorker::Figures seen = unit.vision->figures();
    figures.analysed = seen.analysed;
    figures.skipped = seen.skipped;
    figures.failed = seen.failed;
    figures.lastAnalysis = seen.lastDuration;
    figures.analysisWork = seen.processorTime;
    return figures;
}

}  // namespace

void Agent::publishFigures() {
    auto figures = std::make_shared<uplink::AgentFigures>();
    figures->process = processFigures();
    plans_.look();
    figures->plans = plans_.figures();
    if (journal_) figures->journal = journal_->status();
    for (const auto& [id, unit] : cameras_) {
        if (!unit.camera) continue;
        figures->cameras[id] = figuresOf(unit);
        figures->cameras[id].events = metrics_.eventsOf(id);
    }
    for (const auto& port : ports_.all()) port->exchange.publish(figures);
    paceAnalysis(std::move(figures));
}

void Agent::openStatusSocket() {
    auto socket =
        StatusSocket::open(StatusSocket::pathIn(dataDir_.path()), [this] { return statusReport(); });
    if (!socket) {
        logWarning("agent", "edgecam status will not be answered: ", socket.error().message);
        return;
    }
    statusSocket_ = *std::move(socket);
}

/// As an administrator's status, and how the process stands. The page's address is without its token.
std::string Agent::statusReport() const {
    uplink::AgentView view = viewFor({});
    view.figures = paced_;
    const uplink::Grant all{.role = uplink::Role::admin};
    const uplink::Message system =
        uplink::statusMessage(view, all, uplink::statusWord(view, all, false), clock_);
    const uplink::ProcessFigures process = processFigures();
    JsonWriter json;
    json.beginObject().key("system").raw(system.data);
    if (server_) json.field("page", agent::pageUrl(config_.server, server_->port(), {}));
    json.key("process").beginObject().field("pid", static_cast<std::int64_t>(getpid()));
    json.field("resident_bytes", process.residentBytes).key("cpu_s").rounded(process.cpuSeconds, 3);
    json.field("threads", process.threads).field("descriptors", process.descriptors).endObject().endObject();
    return json.take();
}

std::string Agent::metricsPage(const uplink::AgentView& view, const uplink::Grant& grant) const {
    std::vector<ServiceSnapshot> services;
    ports_.each([&](const Port& port) {
        services.push_back({.uplink = port.uplink,
                            .figures = port.exchange.figures(),
                            .droppedChunks = port.exchange.droppedChunks(),
                            .droppedFaceItems = port.exchange.droppedFaceItems(),
                            .oldestWait = port.exchange.oldestWait()});
    });
    return metrics_.page(view, services, grant, clock_.monotonic());
}

}  // namespace edgecam::agent
