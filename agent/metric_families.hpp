// MetricFamilies: snapshots as Prometheus' metric families: names, labels, help. Base units, `_total` for
// what only grows (https://prometheus.io/docs/practices/naming/). Pure. A family without samples is left out
// by who asks.
#pragma once

#include <prometheus/metric_family.h>

#include <vector>

#include "agent/metrics.hpp"

namespace edgecam::agent {

using MetricFamilies = std::vector<prometheus::MetricFamily>;

MetricFamilies agentFamilies(const uplink::AgentView& agent, Monotonic now);
MetricFamilies cameraFamilies(const uplink::AgentView& agent);
/// Where each uplink stands, and what waits for its hub.
MetricFamilies uplinkFamilies(const uplink::AgentView& agent, const std::vector<ServiceSnapshot>& services);
/// The local server's peers, together.
MetricFamilies viewerFamilies(const std::vector<ServiceSnapshot>& services);
/// What every service has: errors, and what it was too busy to take.
MetricFamilies serviceFamilies(const std::vector<ServiceSnapshot>& services);
/// Events on disk until hubs have them.
MetricFamilies journalFamilies(const uplink::JournalStatus& journal);
/// Where there is a name of convention, it is that one, not ours.
MetricFamilies processFamilies(const uplink::ProcessFigures& process);

}  // namespace edgecam::agent
