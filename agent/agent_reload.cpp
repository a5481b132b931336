// Agent: a config that was read again. What goes goes first, so that a device or a name is free for what
// comes.
#include <algorithm>
#include <utility>

#include "agent/agent.hpp"
#include "agent/found_cameras.hpp"
#include "agent/tls_files.hpp"
#include "base/log.hpp"

namespace edgecam::agent {

/// Of what is new only: what is in force already has had its chance, and one broken file must not stand in
/// the way of everything else.
Result<void> Agent::checkFiles(const Config& config, const ConfigChange& change) const {
    for (std::size_t i = 0; i < config.uplinks.size(); ++i) {
        const std::string& name = config.uplinks[i].name;
        const bool isNew = std::ranges::find(change.uplinksAdded, name) != change.uplinksAdded.end() ||
                           std::ranges::find(change.uplinksChanged, name) != change.uplinksChanged.end();
        if (!isNew) continue;
        auto good = checkUplinkTls(config.uplinks[i], concat("/uplinks/", i), clock_.utc());
        if (!good) return good;
    }
    return change.tokens ? TokenStore::check(config.server) : Result<void>();
}

/// What was found keeps its name as long as cameras are to be found.
Config Agent::completed(Config config) const {
    return withFoundCameras(std::move(config),
                            config_.findCameras ? config_.cameras : std::vector<CameraConfig>());
}

ConfigDesk::Ways Agent::configWays() {
    return {
        .completed = [this](Config config) { return completed(std::move(config)); },
        .running = [this]() -> const Config& { return config_; },
        .check = [this](const auto& config, const auto& change) { return checkFiles(config, change); },
        .apply = [this](Config config) { return apply(completed(std::move(config))); },
        .liveUplinks =
            [this] {
                std::map<std::string, bool> live;
                for (const auto& [id, status] : ports_.uplinks())
                    live[id] = status.state == uplink::UplinkState::live;
                return live;
            },
        .tell = [this](const auto& news) { ports_.each([&](Port& port) { port.exchange.publish(news); }); },
    };
}

/// Applies a config to what it changes, and to nothing else. What needs a restart keeps its old value and is
/// said, a line each. Blocks on the disk, for the devices of cameras that end (1 s each) and for an analysis;
/// uplinks end and begin on their own.
ConfigChange Agent::apply(Config config) {
    ConfigChange change = changeBetween(config_, config);
    for (const std::string_view setting : change.needRestart)
        logWarning("agent", setting, ": needs a restart; the old value stays");
    config_ = withoutRestart(config_, std::move(config));

    for (const std::string& name : change.uplinksRemoved) endUplink(name);
    for (const std::string& name : change.uplinksChanged) endUplink(name);
    for (const std::string& id : change.camerasRemoved) removeCamera(id);
    if (change.vision) changeVision();
    for (const CameraChange& each : change.camerasChanged) changeCamera(each);
    for (const CameraConfig& camera : change.camerasAdded) {
        metrics_.begin(camera.id);
        addCamera(camera, isOn(camera));
    }
    endIdleVision();
    // Hubs may be told to see cameras that were not there before.
    startUplinks();
    if (change.tokens && tokens_) {
        if (const auto made = tokens_->configChanged(); !made)
            logError("agent", "nobody can sign in: ", made.error().message);
    }
    if (change.logLevel) startLog(logLevel_.value_or(config_.logLevel));
    return change;
}

}  // namespace edgecam::agent
