// Agent: what it says of itself. The main thread gathers figures once a second and publishes them like any
// other news; a scrape reads what was published and waits for nobody.
#include <utility>

#include "agent/agent.hpp"
#include "agent/process_figures.hpp"

namespace edgecam::agent {
namespace {

Decoding decodingOf(bool decodes, bool onlyKeyFrames) {
    if (!decodes) return Decoding::none;
    return onlyKeyFrames ? Decoding::keyFrames : Decoding::all;
}

uplink::CameraFigures figuresOf(const CameraUnit& unit) {
    const capture::CameraActivity activity = unit.camera->activity();
    uplink::CameraFigures figures{.pictures = activity.pictures,
                                  .decoding = decodingOf(activity.decoding, activity.onlyKeyFrames),
                                  .subDecoding = decodingOf(activity.subDecoding, activity.subOnlyKeyFrames),
                                  .decoderDrops = activity.decoderDrops,
                                  .encoderDrops = activity.encoderDrops,
                                  .decoderFailures = activity.decoderFailures,
                                  .encoderFailures = activity.encoderFailures,
                                  .passthroughDelays = activity.passthroughDelays,
                                  .subDelays = activity.subDelays,
                                  .encodedDelays = activity.encodedDelays,
                                  .jpegDelays = activity.jpegDelays};
    if (!unit.vision) return figures;
    const vision::CameraVision::Figures seen = unit.vision->figures();
    figures.analysed = seen.analysed;
    figures.skipped = seen.skipped;
    figures.still = seen.still;
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
        std::vector<std::string> zones;
        for (const Zone& zone : unit.config.scene.zones) zones.push_back(zone.name);
        analytics_.addTo(figures->cameras[id], id, zones, clock_.monotonic());
    }
    const auto was = std::exchange(figures_, std::move(figures));
    const Monotonic now = clock_.monotonic();
    const Microseconds ago = now - std::exchange(figuresAt_, now);
    for (const auto& port : ports_.all()) port->exchange.publish(figures_);
    if (was) paceAnalysis(*was, ago);
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
