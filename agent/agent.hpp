// Agent: the whole program at work. It only wires: cameras to vision, both to the ports, commands back to the
// cameras. Main thread only, but for the callbacks it gives away, which just hand on. In seven files:
// agent.cpp (start, end, the local server), agent_cameras.cpp, agent_analysis.cpp, agent_uplinks.cpp (with
// the journal), agent_reload.cpp, agent_administration.cpp and agent_metrics.cpp.
#pragma once

#include <atomic>
#include <future>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "agent/analysis_pace.hpp"
#include "agent/camera_unit.hpp"
#include "agent/config.hpp"
#include "agent/config_change.hpp"
#include "agent/config_desk.hpp"
#include "agent/config_in_force.hpp"
#include "agent/data_dir.hpp"
#include "agent/data_plans.hpp"
#include "agent/face_analytics.hpp"
#include "agent/health.hpp"
#include "agent/main_loop.hpp"
#include "agent/metrics.hpp"
#include "agent/ports.hpp"
#include "agent/probe_run.hpp"
#include "agent/status_socket.hpp"
#include "agent/token_store.hpp"
#include "base/clock.hpp"
#include "base/result.hpp"
#include "capture/device_watch.hpp"
#include "uplink/journal.hpp"
#include "uplink/local_server.hpp"
#include "uplink/relayed_server.hpp"
#include "uplink/session_registry.hpp"
#include "uplink/uplink_client.hpp"

namespace edgecam::agent {

class Agent {
  public:
    /// Starts everything; a camera that is absent or a hub that is away is no failure. `loop` and `clock`
    /// must outlive the agent.
    /// `logLevel`: given by who started it, whatever a config says.
    static Result<std::unique_ptr<Agent>> start(ConfigInForce config, MainLoop& loop, const Clock& clock,
                                                std::optional<LogLevel> logLevel = std::nullopt);
    /// Ends everything: peers are told, threads joined.
    ~Agent();
    Agent(const Agent&) = delete;
    Agent& operator=(const Agent&) = delete;

    /// Reads the operator's file again; see ConfigDesk::reread().
    Result<std::string> reload() { return configDesk_.reread(); }

    /// The page's address, for a person at a terminal, with the token in its fragment where the agent made
    /// it; empty without a local server.
    [[nodiscard]] std::string pageUrl() const;

  private:
    struct Uplink {
        UplinkConfig config;
        std::vector<std::unique_ptr<uplink::UplinkClient>> clients;
        bool ending = false;
    };

    Agent(ConfigInForce config, DataDir dataDir, MainLoop& loop, const Clock& clock,
          std::optional<LogLevel> logLevel);
    Result<void> startServer();
    [[nodiscard]] uplink::SessionOrigin sessionOrigin();
    [[nodiscard]] uplink::AgentView viewFor(const std::string& ownUplink) const;
    [[nodiscard]] std::shared_ptr<Port> makePort(std::size_t partBytes, const std::string& ownUplink);

    // Cameras.
    void addCamera(const CameraConfig& camera, bool on,
                   std::shared_ptr<capture::CameraCount> count = nullptr);
    void reopenCamera(const CameraChange& change);
    void changeCamera(const CameraChange& change);
    void removeCamera(const std::string& cameraId);
    void watchDevices();
    void takeNewCameras();
    void changeVision();
    void changeVision(CameraUnit& unit);
    bool chooseDetector();
    void addVision(CameraUnit& unit);
    void endIdleVision();
    [[nodiscard]] bool isOn(const CameraConfig& camera) const;
    void publish(CameraStatus status);
    void tell(FaceEvent event);
    void remember(const std::string& cameraId, bool enabled);
    void retune(const std::string& cameraId);
    void paceAnalysis(const uplink::AgentFigures& was, Microseconds ago);
    void addAnalysis(CameraStatus& status, const CameraUnit& unit) const;

    // Uplinks and their journal.
    void announceUplinks(const std::vector<UplinkConfig>& hubs);
    void openJournal();
    [[nodiscard]] std::vector<std::string> consumers() const;
    void tellJournal(Port& port) const;
    void startUplinks();
    void startUplink(const UplinkConfig& hub);
    std::unique_ptr<uplink::UplinkClient> dial(const UplinkConfig& hub, uplink::Purpose purpose,
                                               const std::shared_ptr<uplink::Endpoints>& endpoints);
    void uplinkSeen(const uplink::UplinkStatus& status);
    void endUplink(const std::string& name);
    void uplinkEnded(const std::string& name);

    // Other configs.
    [[nodiscard]] ConfigDesk::Ways configWays();
    [[nodiscard]] Result<void> checkFiles(const Config& config, const ConfigChange& change) const;
    [[nodiscard]] Config completed(Config config) const;
    ConfigChange apply(Config config);

    // What administrators ask of the agent as a whole.
    void administer(const uplink::Command& command, const StreamDesk::Answer& answer);
    uplink::Outcome rotateToken();
    [[nodiscard]] std::string diagnose() const;
    void probe(const uplink::AskProbe& ask, const StreamDesk::Answer& answer);

    void publishFigures();
    void openStatusSocket();
    [[nodiscard]] std::string metricsPage(const uplink::AgentView& view, const uplink::Grant& grant) const;

    Config config_;  ///< in force; a reference to its server is the token store's
    DataDir dataDir_;
    MainLoop& loop_;
    const Clock& clock_;
    const Monotonic startedAt_;
    const std::string instance_;
    std::set<std::string> disabled_;
    Health health_;
    Metrics metrics_;
    FaceAnalytics analytics_;
    DataPlans plans_;
    AnalysisPace pace_;
    std::shared_ptr<const uplink::AgentFigures> figures_;  ///< newest; null: none yet
    Monotonic figuresAt_{};
    ConfigDesk configDesk_;
    const std::optional<LogLevel> logLevel_;
    std::unique_ptr<ProbeRun> probe_;  ///< the last one; null: none yet
    MainLoop::Timer heartbeat_;

    // In the order in which they may be destroyed from the bottom up: services stop calling first, then
    // cameras stop publishing, then the journal has written what waits, then the ports may go.
    Ports ports_;
    std::unique_ptr<uplink::Journal> journal_;         ///< null: there was nobody to keep events for yet
    std::atomic<uplink::Journal*> eventsTo_{nullptr};  ///< the same, for the thread that looks
    std::unique_ptr<vision::VisionThread> vision_;     ///< null: nobody is to be looked at, or with nothing
    std::string detector_;                             ///< what looks, or why nothing does; for statuses
    bool canLook_ = false;                             ///< the thread is there and has a detector
    CameraUnits cameras_;
    std::unique_ptr<capture::DeviceWatch> devices_;  ///< tells the cameras
    uplink::SessionRegistry sessions_;
    std::unique_ptr<TokenStore> tokens_;  ///< null: no local server
    std::unique_ptr<uplink::LocalServer> server_;
    std::map<std::string, Uplink> uplinks_;          ///< by name
    std::size_t uplinkThreads_ = 0;                  ///< how many there ever were, for their names
    std::vector<std::future<void>> farewells_;       ///< of uplinks that end, which may take a while
    std::unique_ptr<MainLoop::Timer> figuresTimer_;  ///< while all the others are there
    std::unique_ptr<StatusSocket> statusSocket_;     ///< null: none could be made
};

}  // namespace edgecam::agent
