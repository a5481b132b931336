// Diagnostics: all that somebody far away wants to know of a box that is not well, as one JSON object. No
// secret is in it, and it is bounded: some kilobytes and one for each camera.
#pragma once

#include <string>
#include <vector>

#include "agent/config.hpp"
#include "agent/config_desk.hpp"
#include "base/clock.hpp"
#include "base/log.hpp"
#include "uplink/peer_session.hpp"

namespace edgecam::agent {

struct Diagnosis {
    const uplink::AgentView& view;  ///< with the newest figures
    const Config& config;           ///< as it runs
    const ConfigDesk& configDesk;
    std::string page;  ///< its address; empty: none is served
    std::vector<LogLine> log;
};
/// Asks the kernel for some figures of the machine; no disk but for /etc/os-release.
std::string diagnosticsText(const Diagnosis& of, const Clock& clock);

}  // namespace edgecam::agent
