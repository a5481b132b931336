// Metrics: what fleets read at /metrics, in Prometheus' text format (version 0.0.4), written by
// prometheus-cpp. What happens is counted here as it happens; what stands is taken from snapshots when
// somebody asks. It waits for no other thread's work.
#pragma once

#include <prometheus/counter.h>
#include <prometheus/family.h>
#include <prometheus/registry.h>

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.hpp"
#include "base/face.hpp"
#include "uplink/access.hpp"
#include "uplink/command.hpp"
#include "uplink/denial.hpp"
#include "uplink/figures.hpp"
#include "uplink/peer_session.hpp"

namespace edgecam::agent {

/// What one service has counted.
struct ServiceSnapshot {
    std::string uplink;  ///< its name; empty: the local server
    std::shared_ptr<const uplink::ServiceFigures> figures;
    std::uint64_t droppedChunks = 0;
    std::uint64_t droppedFaceItems = 0;
    Microseconds oldestWait{0};
};

/// Thread-safe.
class Metrics {
  public:
    /// Every camera's events begin at 0, so that a rate over them is right from the first one on.
    Metrics(const std::string& version, const std::vector<std::string>& cameraIds);

    /// A camera that came later, and one that is gone: its figures are no more.
    void begin(const std::string& cameraId);
    void end(const std::string& cameraId);

    void count(const FaceEvent& event);
    /// A peer's command and what became of it.
    void count(const uplink::Command& command, const uplink::Outcome& outcome);
    /// Somebody was turned away at the local server.
    void count(uplink::Denial denial);
    /// By FacePhase.
    [[nodiscard]] std::array<std::uint64_t, 3> eventsOf(const std::string& cameraId);

    /// The text of /metrics. `agent` is read on the calling thread, whose service owns it. A camera that
    /// `grant` does not cover is not in it.
    [[nodiscard]] std::string page(const uplink::AgentView& agent,
                                   const std::vector<ServiceSnapshot>& services, const uplink::Grant& grant,
                                   Monotonic now) const;

  private:
    prometheus::Counter& eventCounter(const std::string& cameraId, FacePhase phase);

    prometheus::Registry registry_;
    prometheus::Family<prometheus::Counter>& events_;
    prometheus::Family<prometheus::Counter>& commands_;
    prometheus::Family<prometheus::Counter>& refused_;
};

}  // namespace edgecam::agent
