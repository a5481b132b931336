#include "agent/agent.hpp"

#include <glib.h>

#include <algorithm>

#include "agent/found_cameras.hpp"
#include "agent/page_url.hpp"
#include "agent/places.hpp"
#include "agent/tls_files.hpp"
#include "agent/version.hpp"
#include "base/log.hpp"

namespace edgecam::agent {
namespace {

// To viewers a payload is cut once.
constexpr std::size_t kViewerPartBytes = 64 << 10;

uplink::ViewersProgram viewersProgram() {
    return {.arguments = {"viewers", "--log-level", nameOf(leastLogged())}};
}

std::string randomUuid() {
    g_autofree char* uuid = g_uuid_string_random();
    return uuid;
}

std::vector<std::string> idsOf(const std::vector<CameraConfig>& cameras) {
    std::vector<std::string> ids;
    for (const CameraConfig& camera : cameras) ids.push_back(camera.id);
    return ids;
}

}  // namespace

Result<std::unique_ptr<Agent>> Agent::start(ConfigInForce config, MainLoop& loop, const Clock& clock,
                                            std::optional<LogLevel> logLevel) {
    auto dataDir = DataDir::open(config.config.dataDir);
    if (!dataDir) return dataDir.error();
    auto agent =
        std::unique_ptr<Agent>(new Agent(std::move(config), *std::move(dataDir), loop, clock, logLevel));
    agent->announceUplinks(agent->config_.uplinks);
    if (auto served = agent->startServer(); !served) return served.error();
    agent->startUplinks();
    for (const CameraConfig& camera : agent->config_.cameras) agent->addCamera(camera, agent->isOn(camera));
    agent->watchDevices();
    agent->publishFigures();
    agent->figuresTimer_ = std::make_unique<MainLoop::Timer>(std::chrono::seconds(1), [raw = agent.get()] {
        raw->configDesk_.look();
        raw->publishFigures();
    });
    agent->openStatusSocket();
    return agent;
}

Agent::Agent(ConfigInForce config, DataDir dataDir, MainLoop& loop, const Clock& clock,
             std::optional<LogLevel> logLevel)
    : config_(withFoundCameras(config.config)),
      dataDir_(std::move(dataDir)),
      loop_(loop),
      clock_(clock),
      startedAt_(clock.monotonic()),
      instance_(randomUuid()),
      disabled_(dataDir_.disabledCameras()),
      health_(clock),
      metrics_(kVersion, idsOf(config_.cameras)),
      plans_(config_.uplinks, dataDir_, clock),
      pace_(config_.vision.rateHz, config_.vision.inputSize, config_.vision.processorBudget),
      configDesk_(std::move(config), dataDir_, clock, configWays()),
      logLevel_(logLevel),
      heartbeat_(std::chrono::milliseconds(500), [this] { health_.mainLoopTurned(); }) {}

Agent::~Agent() {
    statusSocket_.reset();
    figuresTimer_.reset();
    devices_.reset();
    // Peers hear of the end while everything is still there; then nobody calls in any more.
    for (auto& [name, hub] : uplinks_) hub.clients.clear();
    farewells_.clear();  // waits for them
    server_.reset();
    // The sessions' last words were posted to a loop that turns no more: their streams are let go here.
    for (const auto& port : ports_.all()) port->desk.endAll();
    for (auto& [id, unit] : cameras_) {
        unit.camera.reset();
        unit.vision.reset();
    }
    eventsTo_ = nullptr;
    journal_.reset();
}

/// How everything stands.
uplink::AgentView Agent::viewFor(const std::string& ownUplink) const {
    uplink::AgentView view{.agentId = config_.agentId,
                           .version = kVersion,
                           .instance = instance_,
                           .startedAt = startedAt_,
                           .cameras = {}};
    for (const CameraConfig& camera : config_.cameras) {
        CameraStatus& status = view.cameras[camera.id];
        status.cameraId = camera.id;
        status.state = isOn(camera) ? CameraState::starting : CameraState::disabled;
    }
    for (const auto& [id, unit] : cameras_) {
        view.cameras[id] = unit.camera->status();
        addAnalysis(view.cameras[id], unit);
    }
    view.uplinks = ports_.uplinks();
    view.ownUplink = ownUplink;
    return view;
}

std::shared_ptr<Port> Agent::makePort(std::size_t partBytes, const std::string& ownUplink) {
    return std::make_shared<Port>(
        cameras_, loop_, viewFor(ownUplink), partBytes, clock_,
        StreamDesk::Notices{
            .switched = [this](const std::string& cameraId, bool enabled) { remember(cameraId, enabled); },
            .tuned = [this](const std::string& cameraId) { retune(cameraId); },
            .answered = [this](const auto& command,
                               const auto& outcome) { metrics_.count(command, outcome); },
            .administered = [this](const auto& command, const auto& answer) { administer(command, answer); },
        });
}

uplink::SessionOrigin Agent::sessionOrigin() {
    return {.registry = &sessions_,
            .revokeToken = [this](const uplink::Grant& grant) { return tokens_ && tokens_->revoke(grant); },
            .address = {}};
}

Result<void> Agent::startServer() {
    const ServerConfig& server = config_.server;
    if (!server.enabled) return {};
    ports_.add(makePort(kViewerPartBytes, {}));
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

    Port& port = *ports_.find({});
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

std::string Agent::pageUrl() const {
    if (!server_) return {};
    return agent::pageUrl(config_.server, server_->port(), tokens_->ownToken());
}

}  // namespace edgecam::agent
