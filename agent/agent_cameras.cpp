// Agent: its cameras and who looks through them, from the start on and when the config is read again.
#include <utility>

#include "agent/agent.hpp"
#include "agent/found_cameras.hpp"
#include "agent/places.hpp"
#include "base/log.hpp"

namespace edgecam::agent {

bool Agent::isOn(const CameraConfig& camera) const {
    return camera.enabled && !disabled_.contains(camera.id);
}

void Agent::addCamera(const CameraConfig& config, bool on, std::shared_ptr<capture::CameraCount> count) {
    CameraUnit& unit = cameras_[config.id];
    unit.config = config;
    if (config.vision) addVision(unit);
    capture::Camera::Callbacks callbacks{
        .chunk = [this](const Chunk& chunk) { ports_.each([&](Port& port) { port.publish(chunk); }); },
        .status = [this](const CameraStatus& status) { publish(status); },
    };
    capture::CameraSettings settings{.id = config.id,
                                     .source = config.source,
                                     .substream = config.substream,
                                     .encoder = config.encoder,
                                     .maxRenditions = config.maxRenditions,
                                     .pictures = config.pictures,
                                     .enabled = on,
                                     .count = std::move(count)};
    unit.camera = capture::Camera::create(settings, clock_, unit.vision ? &unit.vision->pictures() : nullptr,
                                          std::move(callbacks));
    unit.camera->idleDecode(config_.vision.idleDecode);
    if (unit.vision) unit.camera->look(pace_.rateHz());
    publish(unit.camera->status());
    unit.camera->start();
}

void Agent::takeNewCameras() {
    for (CameraConfig& camera : findCameras(config_.cameras)) {
        config_.cameras.push_back(camera);
        metrics_.begin(camera.id);
        addCamera(camera, isOn(camera));
    }
}

void Agent::watchDevices() {
    devices_ = std::make_unique<capture::DeviceWatch>([this] {
        for (const auto& [id, unit] : cameras_) unit.camera->deviceAppeared();
        if (config_.findCameras) takeNewCameras();
    });
}

void Agent::publish(CameraStatus status) {
    const auto unit = cameras_.find(status.cameraId);
    if (unit == cameras_.end()) return;  // the last words of one that was removed
    addAnalysis(status, unit->second);
    for (const auto& port : ports_.all()) port->exchange.publish(status);
}

/// Hubs get an event by way of the journal, viewers at once.
void Agent::tell(FaceEvent event) {
    event.clockSynced = clock_.synced();
    metrics_.count(event);
    analytics_.count(event, clock_.monotonic());
    ports_.each(
        [&](Port& port) { port.durable() ? port.exchange.note(event) : port.exchange.publish(event); });
    if (uplink::Journal* journal = eventsTo_) journal->append(event);
}

void Agent::retune(const std::string& cameraId) {
    for (const auto& port : ports_.all()) port->desk.retune(cameraId);
}

void Agent::remember(const std::string& cameraId, bool enabled) {
    const bool changed = enabled ? disabled_.erase(cameraId) > 0 : disabled_.insert(cameraId).second;
    if (!changed) return;  // no write, no sync
    if (auto kept = dataDir_.rememberDisabled(disabled_); !kept) {
        logWarning("agent", "cameras that are off will be on after a restart: ", kept.error().message);
    }
}

/// Who follows it goes on following it, from its first key frame on. What peers have set and the config does
/// not change stays: the default quality, and whether it is on.
void Agent::reopenCamera(const CameraChange& change) {
    const std::string& id = change.camera.id;
    const CameraUnit& was = cameras_.at(id);
    CameraConfig fresh = change.camera;
    if (!change.encoder) fresh.encoder = was.config.encoder;
    const bool on = change.enabled ? isOn(fresh) : was.camera->status().state != CameraState::disabled;
    auto count = was.camera->count();
    for (const auto& port : ports_.all()) port->desk.release(id);
    cameras_.erase(id);
    addCamera(fresh, on, std::move(count));
    for (const auto& port : ports_.all()) port->desk.rejoin(id);
}

void Agent::changeCamera(const CameraChange& change) {
    if (change.source) return reopenCamera(change);
    CameraUnit& unit = cameras_.at(change.camera.id);
    unit.config.enabled = change.camera.enabled;
    if (change.encoder) {
        unit.config.encoder = change.camera.encoder;
        retune(change.camera.id);
    }
    if (change.scene) {
        unit.config.scene = change.camera.scene;
        if (unit.vision) unit.vision->retune(unit.config.scene);
    }
    if (change.enabled) unit.camera->enable(isOn(change.camera));
}

void Agent::removeCamera(const std::string& cameraId) {
    for (const auto& port : ports_.all()) port->desk.forget(cameraId);
    // With it ends who looks, whose last words the journal and the peers still get.
    cameras_.erase(cameraId);
    for (const auto& port : ports_.all()) port->exchange.removeCamera(cameraId);
    metrics_.end(cameraId);
    analytics_.end(cameraId);
}

}  // namespace edgecam::agent
