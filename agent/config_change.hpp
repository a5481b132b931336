// ConfigChange: what is different between the config in force and one that was read again, by camera and
// uplink. Pure; it knows nothing that runs.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "agent/config.hpp"

namespace edgecam::agent {

/// What is different of a camera that is in both.
struct CameraChange {
    CameraConfig camera;   ///< as it is to be
    bool source = false;   ///< something that a running camera cannot take: it is closed and opened anew
    bool encoder = false;  ///< what its encodes aim at by default
    bool enabled = false;
    bool scene = false;  ///< what is told of where in its view
    bool operator==(const CameraChange&) const = default;
};

struct ConfigChange {
    // Cameras by id, uplinks by name, each in one of its three at most, in the order of its config.
    std::vector<std::string> camerasRemoved;
    std::vector<CameraConfig> camerasAdded;
    std::vector<CameraChange> camerasChanged;
    std::vector<std::string> uplinksRemoved;
    std::vector<std::string> uplinksAdded;
    std::vector<std::string> uplinksChanged;

    bool vision = false;  ///< how all cameras are looked through
    bool tokens = false;  ///< of the server, or who may sign some
    bool logLevel = false;
    /// Settings that are other ones and cannot change in a running agent, as JSON pointers.
    std::vector<std::string_view> needRestart;

    /// Nothing is different that can be applied.
    [[nodiscard]] bool nothing() const;
    bool operator==(const ConfigChange&) const = default;
};

ConfigChange changeBetween(const Config& inForce, const Config& next);

/// `next` as far as it can come into force: with the old values of what needs a restart.
Config withoutRestart(const Config& inForce, Config next);

/// For the log, e.g. "cameras: 1 added, 2 changed; the log level".
std::string described(const ConfigChange& change);

}  // namespace edgecam::agent
