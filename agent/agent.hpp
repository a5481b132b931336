// Agent: the whole program at work. It only wires: cameras to vision, both to the ports, commands back to the
// cameras. Main thread only, but for the callbacks it gives away, which just hand on. In six files:
// agent.cpp (start, end, the local server), agent_cameras.cpp, agent_analysis.cpp, agent_uplinks.cpp (with
// the journal), agent_reload.cpp and agent_metrics.cpp.
#pragma once

#include <atomic>
#include <future>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "agent/analysis_pace.hpp"
#include "agent/camera_unit.hpp"
#include "agent/config.hpp"
#include "agent/config_change.hpp"
#include "agent/data_dir.hpp"
#include "agent/data_plans.hpp"
#include "agent/health.hpp"
#include "agent/main_loop.hpp"
#include "agent/metrics.hpp"
#include "agent/ports.hpp"
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
    static Result<std::unique_ptr<Agent>> start(Config config, MainLoop& loop, const Clock& clock);
    /// Ends everything: peers are told, threads joined.
    ~Agent();
    Agent(const Agent&) = delete;
    Agent& operator=(const Agent&) = delete;

    /// Applies a config that was read again: to what it changes, and to nothing else. What needs a restart
    /// keeps its old value and is said, a line each. Fails, and changes nothing, where a file that it newly
    /// names cannot be used. Blocks on the disk, for the devices of cameras that end (1 s each) and for an
    /// analysis; uplinks end and begin on their own.
    Result<ConfigChange> reload(Config config);

    /// The page's address, for a person at a terminal, with the token in its fragment where the agent made
    /// it; empty without a local server.
    [[nodiscard]] std::string pageUrl() const;

  private:
    struct Uplink {
        UplinkConfig config;
        std::vector<std::unique_ptr<uplink::UplinkClient>> clients;
        bool ending = false;
    };

    Agent(Config config, DataDir dataDir, MainLoop& loop, const Clock& clock);
    Result<void> startServer();
    uplink::Outcome rotateToken();
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
    void changeVision();
    void changeVision(CameraUnit& unit);
    [[nodiscard]] std::unique_ptr<vision::FaceDetector> detectorFor(CameraUnit& unit) const;
    void addVision(CameraUnit& unit);
    [[nodiscard]] bool isOn(const CameraConfig& camera) const;
    void publish(CameraStatus status);
    void tell(FaceEvent event);
    void remember(const std::string& cameraId, bool enabled);
    void retune(const std::string& cameraId);
    void paceAnalysis(std::shared_ptr<const uplink::AgentFigures> figures);
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
    void endUplink(const std::string& name);
    void uplinkEnded(const std::string& name);

    [[nodiscard]] Result<void> checkFiles(const Config& config, const ConfigChange& change) const;

    void publishFigures();
    void openStatusSocket();
    [[nodiscard]] std::string statusReport() const;
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
    DataPlans plans_;
    AnalysisPace pace_;
    std::shared_ptr<const uplink::AgentFigures> paced_;  ///< by which it was told last, and when
    Monotonic pacedAt_{};
    MainLoop::Timer heartbeat_;

    // In the order in which they may be destroyed from the bottom up: services stop calling first, then
    // cameras stop publishing, then the journal has written what waits, then the ports may go.
    Ports ports_;
    std::unique_ptr<uplink::Journal> journal_;         ///< null: there was nobody to keep events for yet
    std::atomic<uplink::Journal*> eventsTo_{nullptr};  ///< the same, for the threads that look
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
