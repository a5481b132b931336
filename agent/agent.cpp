#include "agent/agent.hpp"

#include <glib.h>

#include <algorithm>

#include "agent/page_url.hpp"
#include "agent/places.hpp"
#include "agent/tls_files.hpp"
#include "agent/version.hpp"
#include "base/log.hpp"

namespace edgecam::agent {
namespace {

// To viewers a payload is cut once at 64 KB; on an uplink smaller, so that an urgent message waits less.
constexpr std::size_t kViewerPartBytes = 64 << 10;
constexpr std::size_t kUplinkPartBytes = 16 << 10;

std::vector<uplink::Purpose> purposesOf(const UplinkConfig& hub) {
    if (hub.separateEvents) return {uplink::Purpose::events, uplink::Purpose::media};
    return {uplink::Purpose::all};
}

/// How the uplink comes to its token, where that is in a file.
std::function<std::string()> readerOf(const UplinkConfig& hub) {
    if (hub.tokenFile.empty()) return {};
    return [name = hub.name, file = hub.tokenFile]() -> std::string {
        const auto lines = readSecretLines(file);
        if (lines && !lines->empty()) return lines->front();
        logError("agent", name, ": no token: ", lines ? file + " holds none" : lines.error().message);
        return {};
    };
}

uplink::ViewersProgram viewersProgram() {
    return {.arguments = {"viewers", "--log-level", nameOf(leastLogged())}};
}

std::string randomUuid() {
    g_autofree char* uuid = g_uuid_string_random();
    return uuid;
}

/// Where they stand before any of them was dialled.
std::vector<uplink::UplinkStatus> uplinksToDial(const std::vector<UplinkConfig>& hubs) {
    std::vector<uplink::UplinkStatus> uplinks;
    for (const UplinkConfig& hub : hubs) {
        for (const auto purpose : purposesOf(hub)) {
            auto& status = uplinks.emplace_back();
            status.name = hub.name;
            status.purpose = purpose;
            status.url = hub.hubs.front().shown;
        }
    }
    return uplinks;
}

std::vector<std::string> idsOf(const std::vector<CameraConfig>& cameras) {
    std::vector<std::string> ids;
    for (const CameraConfig& camera : cameras) ids.push_back(camera.id);
    return ids;
}

}  // namespace

Result<std::unique_ptr<Agent>> Agent::start(Config config, MainLoop& loop, const Clock& clock) {
    auto dataDir = DataDir::open(config.dataDir);
    if (!dataDir) return dataDir.error();
    auto agent = std::unique_ptr<Agent>(new Agent(std::move(config), *std::move(dataDir), loop, clock));
    agent->addPorts();
    if (auto served = agent->startServer(); !served) return served.error();
    agent->startUplinks();
    for (const CameraConfig& camera : agent->config_.cameras) agent->addCamera(camera);
    agent->publishFigures();
    agent->figuresTimer_ = std::make_unique<MainLoop::Timer>(std::chrono::seconds(1),
                                                             [raw = agent.get()] { raw->publishFigures(); });
    return agent;
}

Agent::Agent(Config config, DataDir dataDir, MainLoop& loop, const Clock& clock)
    : config_(std::move(config)),
      dataDir_(std::move(dataDir)),
      loop_(loop),
      clock_(clock),
      instance_(randomUuid()),
      disabled_(dataDir_.disabledCameras()),
      health_(clock),
      metrics_(kVersion, idsOf(config_.cameras)),
      plans_(config_.uplinks, dataDir_, clock),
      heartbeat_(std::chrono::milliseconds(500), [this] { health_.mainLoopTurned(); }) {}

Agent::~Agent() {
    figuresTimer_.reset();
    // Peers hear of the end while everything is still there; then nobody calls in any more.
    uplinks_.clear();
    server_.reset();
    // The sessions' last words were posted to a loop that turns no more: their streams are let go here.
    for (const auto& port : ports_) port->desk.endAll();
    for (auto& [id, unit] : cameras_) {
        unit.camera.reset();
        unit.vision.reset();
    }
    journal_.reset();
}

bool Agent::isOn(const CameraConfig& camera) const {
    return camera.enabled && !disabled_.contains(camera.id);
}

void Agent::addPorts() {
    if (config_.server.enabled) addPort(kViewerPartBytes, {});
    for (const auto& uplink : uplinksToDial(config_.uplinks)) {
        addPort(kUplinkPartBytes, uplink.id());
        if (uplink.purpose != uplink::Purpose::media) ports_.back()->keepFor(uplink.name);
    }
}

Port& Agent::portOf(const std::string& uplink) {
    return **std::ranges::find(ports_, uplink, [](const auto& port) { return port->uplink; });
}

void Agent::addPort(std::size_t partBytes, const std::string& ownUplink) {
    uplink::AgentView view{.agentId = config_.agentId,
                           .version = kVersion,
                           .instance = instance_,
                           .startedAt = clock_.monotonic(),
                           .cameras = {}};
    for (const CameraConfig& camera : config_.cameras) {
        const auto state = isOn(camera) ? CameraState::starting : CameraState::disabled;
        view.cameras[camera.id] = {.cameraId = camera.id, .state = state};
    }
    for (auto& uplink : uplinksToDial(config_.uplinks)) view.uplinks[uplink.id()] = uplink;
    view.ownUplink = ownUplink;
    ports_.push_back(std::make_unique<Port>(
        cameras_, loop_, std::move(view), partBytes, clock_,
        StreamDesk::Notices{
            .switched = [this](const std::string& cameraId, bool enabled) { remember(cameraId, enabled); },
            .tuned =
                [this](const std::string& cameraId) {
                    for (const auto& port : ports_) port->desk.retune(cameraId);
                },
            .answered = [this](const auto& command,
                               const auto& outcome) { metrics_.count(command, outcome); },
            .rotated = [this] { return rotateToken(); },
        }));
}

uplink::Outcome Agent::rotateToken() {
    if (!tokens_) {
        return uplink::Refusal{uplink::ErrorCode::unsupported, "there is no local server, and no token of it",
                               ""};
    }
    auto token = tokens_->rotateOwn();
    if (!token) return uplink::Refusal{uplink::ErrorCode::internal, token.error().message, ""};
    return uplink::TokenRotated{.token = *std::move(token), .oldHoldsFor = TokenStore::kOldHolds};
}

uplink::SessionOrigin Agent::sessionOrigin() {
    return {.registry = &sessions_,
            .revokeToken = [this](const uplink::Grant& grant) { return tokens_ && tokens_->revoke(grant); },
            .address = {}};
}

Result<void> Agent::startServer() {
    const ServerConfig& server = config_.server;
    if (!server.enabled) return {};
    auto tokens = TokenStore::open(server, dataDir_, loop_, clock_);
    if (!tokens) return tokens.error();
    tokens_ = *std::move(tokens);

    auto tls = serverTls(server, dataDir_.path(), clock_.utc());
    if (!tls) return tls.error();
    warnOfPlain(server);

    uplink::LocalServerSettings settings;
    settings.tls = *std::move(tls);
    settings.address = server.address;
    settings.port = server.port;
    settings.webRoot = findWebRoot(server.webRoot);
    settings.allowedOrigins = server.allowedOrigins;
    settings.allowedHosts = server.allowedHosts;
    settings.maxConnections = server.maxConnections;
    settings.maxPerAddress = server.maxPerAddress;
    settings.trustedProxies = server.trustedProxies;
    settings.denied = [this](uplink::Denial why) { metrics_.count(why); };
    settings.session.maxMessageBytes = server.maxMessageBytes;
    settings.session.authWithin = server.authWithin;
    if (settings.webRoot.empty())
        logWarning("agent", "the page's files were not found: only the socket is served");

    Port& port = portOf({});
    settings.metrics = [this, &port](const uplink::Grant& grant) {
        return metricsPage(port.exchange.agent(), grant);
    };
    settings.origin = sessionOrigin();
    const auto health = [this] {
        return uplink::LocalServer::Health{.ok = health_.ok(), .json = health_.json()};
    };
    uplink::Access& access = tokens_->access();
    auto started = server.ownProcess
                       ? uplink::startRelayedServer(settings, viewersProgram(), access, port.exchange, port,
                                                    clock_, health)
                       : uplink::LocalServer::start(settings, access, port.exchange, port, clock_, health);
    if (!started) return started.error().within("/server/listen");
    server_ = *std::move(started);
    return {};
}

void Agent::openJournal() {
    if (config_.uplinks.empty()) return;
    uplink::JournalSettings settings;
    settings.folder = dataDir_.path();
    for (const UplinkConfig& hub : config_.uplinks) settings.consumers.push_back(hub.name);
    settings.maxBytes = config_.journal.maxBytes;
    settings.maxAge = config_.journal.maxAge;
    const auto toHubs = [this](const auto& say) {
        for (const auto& port : ports_) {
            if (port->durable()) say(port->exchange);
        }
    };
    const auto announce = [toHubs](const std::string& journal, std::int64_t newest) {
        toHubs([&](auto& exchange) { exchange.publishJournal(journal, newest); });
    };
    journal_ = uplink::Journal::open(
        settings, clock_,
        uplink::Journal::Callbacks{
            .committed = announce,
            .unstored =
                [toHubs](const FaceEvent& event) {
                    toHubs([&](auto& exchange) { exchange.publish(event); });
                },
            .changed =
                [announce](const uplink::JournalStatus& status) {
                    announce(status.journal, status.newest);
                    if (status.ok) return logInfo("journal", "events are kept in journal ", status.journal);
                    logWarning("journal", "events are not kept: ", status.trouble);
                },
        });
    const auto status = journal_->status();
    announce(status.journal, status.newest);
}

void Agent::startUplinks() {
    std::vector<UplinkConnection> connections;
    for (const UplinkConfig& hub : config_.uplinks) {
        const auto endpoints = std::make_shared<uplink::Endpoints>(hub.hubs, uplink::BackOff::systemChance());
        for (const auto purpose : purposesOf(hub)) {
            const uplink::UplinkStatus self{.name = hub.name, .purpose = purpose};
            connections.push_back({hub, purpose, endpoints, portOf(self.id())});
        }
    }
    openJournal();
    for (const UplinkConnection& connection : connections) startUplink(connection);
}

void Agent::startUplink(const UplinkConnection& connection) {
    const UplinkConfig& hub = connection.hub;
    uplink::UplinkSettings settings;
    settings.name = hub.name;
    settings.endpoints = connection.endpoints;
    settings.hub = {.token = hub.token,
                    .grant = {.role = hub.role, .cameras = hub.cameras, .name = hub.name},
                    .readToken = readerOf(hub),
                    .start = hub.start,
                    .purpose = connection.purpose};
    settings.origin = sessionOrigin();
    settings.caFile = hub.caFile;
    settings.tls = hub.tls;
    settings.proxy = hub.proxy;
    settings.maxDelay = hub.longestWait;
    settings.mostVideoKbps = hub.maxKbps;
    if (hub.videoWait) settings.videoWait = *hub.videoWait;
    settings.plan = plans_.of(hub.name);
    settings.session.partBytes = kUplinkPartBytes;
    settings.threadName = concat("uplink-", uplinks_.size());
    Port& port = connection.port;
    if (port.durable()) {
        port.readFrom(*journal_);
        settings.journal = &port;
    }
    auto client =
        uplink::UplinkClient::start(settings, port.exchange, port, clock_, [this](const auto& status) {
            logInfo("uplink", status.name, " (", nameOf(status.purpose), ") at ", status.url, ": ",
                    nameOf(status.state), status.reason.empty() ? "" : ": ", status.reason);
            publish(status);
        });
    if (client) {
        uplinks_.push_back(*std::move(client));
    } else {
        // The box is useful without this hub, and a file that is missing may come.
        logError("agent", "a hub is not dialled: ", client.error().message);
        publish({.name = hub.name,
                 .purpose = connection.purpose,
                 .url = hub.hubs.front().shown,
                 .state = uplink::UplinkState::rejected,
                 .reason = "not dialled: " + client.error().message});
    }
}

void Agent::addCamera(const CameraConfig& config) {
    CameraUnit& unit = cameras_[config.id];
    unit.config = config;
    std::string detector = "off";
    if (config.vision) detector = addVision(unit);
    capture::Camera::Callbacks callbacks{
        .chunk =
            [this](const Chunk& chunk) {
                for (const auto& port : ports_) port->publish(chunk);
            },
        .status = [this, detector](const CameraStatus& status) { publish(status, detector); },
    };
    capture::CameraSettings settings{.id = config.id,
                                     .source = config.source,
                                     .substream = config.substream,
                                     .encoder = config.encoder,
                                     .maxRenditions = config.maxRenditions,
                                     .enabled = isOn(config)};
    unit.camera = capture::Camera::create(settings, clock_, unit.vision ? &unit.vision->pictures() : nullptr,
                                          std::move(callbacks));
    if (unit.vision) unit.camera->look(config_.vision.rateHz);
    publish(unit.camera->status(), detector);
    unit.camera->start();
}

void Agent::publish(CameraStatus status, const std::string& detector) {
    status.detector = detector;
    for (const auto& port : ports_) port->exchange.publish(status);
}

void Agent::publish(const uplink::UplinkStatus& status) {
    for (const auto& port : ports_) port->exchange.publish(status);
}

std::string Agent::addVision(CameraUnit& unit) {
    vision::DetectorSettings settings;
    settings.modelPaths = modelPaths(config_.vision.model);
    settings.inputSize = config_.vision.inputSize;
    auto chosen = vision::makeFaceDetector(settings);
    if (!chosen) {
        logWarning("vision", unit.config.id, ": no faces will be found: ", chosen.error().message);
        return "off: " + chosen.error().message;
    }
    logInfo("vision", unit.config.id, ": ", chosen->model.explanation);
    std::string name = chosen->detector->name();
    unit.vision = std::make_unique<vision::VisionWorker>(
        unit.config.id, std::move(chosen->detector), clock_,
        vision::VisionWorker::Callbacks{
            .detections =
                [this](const Detections& detections) {
                    for (const auto& port : ports_) port->exchange.publish(detections);
                },
            .event = [this](const FaceEvent& event) { tell(event); },
        },
        vision::trackerSettings(config_.vision.minConfidence, config_.vision.rateHz));
    return name;
}

/// Hubs get an event by way of the journal, viewers at once.
void Agent::tell(FaceEvent event) {
    event.clockSynced = clock_.synced();
    metrics_.count(event);
    for (const auto& port : ports_)
        port->durable() ? port->exchange.note(event) : port->exchange.publish(event);
    if (journal_) journal_->append(event);
}

void Agent::remember(const std::string& cameraId, bool enabled) {
    const bool changed = enabled ? disabled_.erase(cameraId) > 0 : disabled_.insert(cameraId).second;
    if (!changed) return;  // no write, no sync
    if (auto kept = dataDir_.rememberDisabled(disabled_); !kept) {
        logWarning("agent", "cameras that are off will be on after a restart: ", kept.error().message);
    }
}

std::string Agent::pageUrl() const {
    if (!server_) return {};
    return agent::pageUrl(config_.server, server_->port(), tokens_->ownToken());
}

}  // namespace edgecam::agent
