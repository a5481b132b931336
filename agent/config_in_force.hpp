// ConfigInForce: which of two configs a start takes, the operator's file or the one that an administrator has
// put in its place, and what is known of it.
//
// The rule: a confirmed config from afar replaces the file as it was then. As soon as the file says something
// else (comments and white space aside), the file holds again: who stands at the box has the last word.
#pragma once

#include <optional>
#include <string>

#include "agent/config.hpp"
#include "agent/config_document.hpp"
#include "agent/data_dir.hpp"
#include "base/clock.hpp"
#include "base/result.hpp"

namespace edgecam::agent {

/// The operator's config file, read once.
struct ConfigFile {
    std::string path;
    PlainDocument document;  ///< with its secrets
    Config config;
};
/// The error does not repeat the path. `inForce`: as in plainDocument().
Result<ConfigFile> readConfigFile(const std::string& path, const std::string& inForce = {});

struct ConfigInForce {
    ConfigFile file;       ///< as it was read last
    Config config;         ///< as it is written, which for what needs a restart may not be as it runs
    std::string document;  ///< of `config`, with its secrets
    /// Who put it in the file's place, and when; nothing: it is the file's own.
    struct Remote {
        std::string by;
        Utc confirmedAt;
    };
    std::optional<Remote> remote;
};

struct ConfigChoice {
    ConfigInForce inForce;
    LogLevel urgency = LogLevel::info;  ///< of `why`
    std::string why;                    ///< which config it is, for the log
    bool fileChanged = false;           ///< a config from afar holds no more: set it aside
};
ConfigChoice chooseConfig(ConfigFile file, const std::optional<DataDir::RemoteConfig>& remote);

/// The same with what is in the file's data_dir, said in the log; a config from afar that holds no more is
/// set aside. Makes the folder where it is absent. To be called at the start.
Result<ConfigInForce> takeConfig(ConfigFile file);

/// What an agent of that file runs with, as far as this user may read it; for commands beside the agent.
/// Makes and says nothing.
Result<Config> configInForce(const std::string& path);

}  // namespace edgecam::agent
