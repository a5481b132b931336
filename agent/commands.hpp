// Commands: what the program does, one function a subcommand. Each returns the process's exit status: 0, or
// one of sysexits.h (64 usage, 65 bad data, 69 unavailable, 78 bad config). Results go to stdout, troubles to
// stderr.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/geometry.hpp"

namespace edgecam::agent {

struct RunOptions {
    std::string config;
    std::optional<std::string> logLevel;
};
/// Runs the agent until SIGINT or SIGTERM. Everywhere, an empty config is none: what is left out of one
/// holds.
int runCommand(const RunOptions& options);

/// What the agent runs for its viewers; of no use to people.
int viewersCommand(const std::optional<std::string>& logLevel);

/// Validates a config: says "ok" with what it would do, or what is wrong where.
int checkCommand(const std::string& config);

struct ProbeOptions {
    std::string model;  ///< as in the config; empty: search
    bool json = false;
    std::string
        source;  ///< to be opened too, as in the config; "-": a line of the standard input; empty: none
};
/// Lists cameras, encoders and the face model of this machine, and tries a source.
int probeCommand(const ProbeOptions& options);

struct DetectOptions {
    std::vector<std::string> pictures;
    std::string draw;   ///< path of a JPEG to write, with one picture only; empty: none
    std::string model;  ///< as in the config; empty: search
    float minConfidence = 0.6F;
    Size inputSize{640, 360};  ///< as the config's vision.width and height
};
/// Finds faces in picture files: one JSON line each.
int detectCommand(const DetectOptions& options);

/// Prints the page's address, with the token where the agent made it, and the fingerprint of its certificate.
int tokenCommand(const std::string& config);
/// Reads a token, one line, from the standard input and prints its hash.
int hashTokenCommand();

struct StatusOptions {
    std::string config;
    bool json = false;
};
/// Prints how the agent stands that runs with this config. 69 where none does.
int statusCommand(const StatusOptions& options);

int versionCommand();

}  // namespace edgecam::agent
