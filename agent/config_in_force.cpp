#include "agent/config_in_force.hpp"

#include <filesystem>
#include <utility>

#include "agent/places.hpp"
#include "base/foreign_words.hpp"
#include "base/log.hpp"

namespace edgecam::agent {

Result<ConfigFile> readConfigFile(const std::string& path, const std::string& inForce) {
    const auto text = readConfigText(path);
    if (!text) return text.error();
    // What is wrong is said of the text as it was written.
    if (const auto valid = parseConfig(*text, folderOf(path)); !valid) return valid.error();
    auto document = plainDocument(*text, inForce);
    if (!document) return document.error();
    auto config = parseConfig(document->text, folderOf(path));
    if (!config) return config.error();
    return ConfigFile{path, *std::move(document), *std::move(config)};
}

ConfigChoice chooseConfig(ConfigFile file, const std::optional<DataDir::RemoteConfig>& remote) {
    ConfigChoice choice;
    choice.inForce = {.file = file, .config = file.config, .document = file.document.text, .remote = {}};
    choice.why = "the config in force is " + shownConfigPath(file.path);
    if (!remote) return choice;
    const std::string kept = concat("the one that ", quoted(remote->by), " applied (", file.config.dataDir,
                                    "/remote_config.json)");
    if (remote->replacedDigest != file.document.digest) {
        choice.fileChanged = true;
        choice.urgency = LogLevel::warning;
        choice.why = concat("the config in force is ", shownConfigPath(file.path), ": it has changed since ",
                            kept, " took its place, which is now remote_config.old.json");
        return choice;
    }
    const auto unusable = [&](const std::string& why) {
        choice.urgency = LogLevel::error;
        choice.why = concat("the config in force is ", shownConfigPath(file.path), ": ", kept,
                            " cannot be used: ", why);
        return choice;
    };
    auto config = parseConfig(remote->document, folderOf(file.path));
    if (!config) return unusable(config.error().message);
    if (config->dataDir != file.config.dataDir) return unusable("/data_dir: is another folder");
    choice.inForce.config = *std::move(config);
    choice.inForce.document = remote->document;
    choice.inForce.remote = {remote->by, remote->confirmedAt};
    choice.why = concat("the config in force is ", kept, "; ", shownConfigPath(file.path),
                        ", which it replaces, has not changed since");
    return choice;
}

Result<Config> configInForce(const std::string& path) {
    auto file = readConfigFile(path);
    if (!file) return file.error();
    std::error_code trouble;
    if (!std::filesystem::exists(file->config.dataDir + "/remote_config.json", trouble)) return file->config;
    auto dataDir = DataDir::open(file->config.dataDir);
    if (!dataDir) return dataDir.error();
    return chooseConfig(*std::move(file), dataDir->remoteConfig()).inForce.config;
}

Result<ConfigInForce> takeConfig(ConfigFile file) {
    auto dataDir = DataDir::open(file.config.dataDir);
    if (!dataDir) return dataDir.error();
    ConfigChoice choice = chooseConfig(std::move(file), dataDir->remoteConfig());
    if (choice.fileChanged) dataDir->setRemoteConfigAside();
    writeLog(choice.urgency, "agent", choice.why);
    return std::move(choice.inForce);
}

}  // namespace edgecam::agent
