// Agent: the whole program at work. It only wires: cameras to vision, both to the ports, commands back to the
// cameras. Main thread only, but for the callbacks it gives away, which just hand on.
#pragma once

#include <memory>
#include <set>
#include <string>
#include <vector>

#include "agent/camera_unit.hpp"
#include "agent/config.hpp"
#include "agent/data_dir.hpp"
#include "agent/data_plans.hpp"
#include "agent/health.hpp"
#include "agent/main_loop.hpp"
#include "agent/metrics.hpp"
#include "agent/port.hpp"
#include "agent/token_store.hpp"
#include "base/clock.hpp"
#include "base/result.hpp"
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

    /// The page's address, for a person at a terminal, with the token in its fragment where the agent made
    /// it; empty without a local server.
    [[nodiscard]] std::string pageUrl() const;

  private:
    struct UplinkConnection {
        const UplinkConfig& hub;
        uplink::Purpose purpose;
        std::shared_ptr<uplink::Endpoints> endpoints;
        Port& port;
    };

    Agent(Config config, DataDir dataDir, MainLoop& loop, const Clock& clock);
    void addPorts();
    Result<void> startServer();
    void openJournal();
    void startUplinks();
    void startUplink(const UplinkConnection& connection);
    void tell(FaceEvent event);
    void addCamera(const CameraConfig& camera);
    std::string addVision(CameraUnit& unit);
    [[nodiscard]] bool isOn(const CameraConfig& camera) const;
    void addPort(std::size_t partBytes, const std::string& ownUplink);
    uplink::Outcome rotateToken();
    [[nodiscard]] uplink::SessionOrigin sessionOrigin();
    Port& portOf(const std::string& uplink);  ///< empty: the local server's
    void publish(CameraStatus status, const std::string& detector);
    void publish(const uplink::UplinkStatus& status);
    void remember(const std::string& cameraId, bool enabled);
    void publishFigures();
    [[nodiscard]] std::string metricsPage(const uplink::AgentView& view, const uplink::Grant& grant) const;

    const Config config_;
    DataDir dataDir_;
    MainLoop& loop_;
    const Clock& clock_;
    const std::string instance_;
    std::set<std::string> disabled_;
    Health health_;
    Metrics metrics_;
    DataPlans plans_;
    MainLoop::Timer heartbeat_;

    // In the order in which they may be destroyed from the bottom up: services stop calling first, then
    // cameras stop publishing, then the journal has written what waits, then the ports may go.
    std::vector<std::unique_ptr<Port>> ports_;  ///< all there before any thread goes through them
    std::unique_ptr<uplink::Journal> journal_;  ///< null: nobody to keep events for
    CameraUnits cameras_;
    uplink::SessionRegistry sessions_;
    std::unique_ptr<TokenStore> tokens_;  ///< null: no local server
    std::unique_ptr<uplink::LocalServer> server_;
    std::vector<std::unique_ptr<uplink::UplinkClient>> uplinks_;
    std::unique_ptr<MainLoop::Timer> figuresTimer_;  ///< while all the others are there
};

}  // namespace edgecam::agent
