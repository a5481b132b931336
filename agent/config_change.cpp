#include "agent/config_change.hpp"

#include <algorithm>

#include "base/log.hpp"

namespace edgecam::agent {
namespace {

/// The one with the same name, or nullptr.
const CameraConfig* find(const std::vector<CameraConfig>& cameras, const std::string& id) {
    const auto found = std::ranges::find(cameras, id, &CameraConfig::id);
    return found == cameras.end() ? nullptr : &*found;
}
const UplinkConfig* find(const std::vector<UplinkConfig>& uplinks, const std::string& name) {
    const auto found = std::ranges::find(uplinks, name, &UplinkConfig::name);
    return found == uplinks.end() ? nullptr : &*found;
}

CameraChange changeOf(const CameraConfig& was, const CameraConfig& is) {
    return {.camera = is,
            .source = was.source != is.source || was.substream != is.substream ||
                      was.maxRenditions != is.maxRenditions || was.vision != is.vision ||
                      was.pictures != is.pictures,
            .encoder = was.encoder != is.encoder,
            .enabled = was.enabled != is.enabled,
            .scene = was.scene != is.scene};
}

void compareCameras(const Config& inForce, const Config& next, ConfigChange& change) {
    for (const CameraConfig& was : inForce.cameras) {
        if (find(next.cameras, was.id) == nullptr) change.camerasRemoved.push_back(was.id);
    }
    for (const CameraConfig& is : next.cameras) {
        const CameraConfig* was = find(inForce.cameras, is.id);
        if (was == nullptr) {
            change.camerasAdded.push_back(is);
        } else if (*was != is) {
            change.camerasChanged.push_back(changeOf(*was, is));
        }
    }
}

void compareUplinks(const Config& inForce, const Config& next, ConfigChange& change) {
    for (const UplinkConfig& was : inForce.uplinks) {
        if (find(next.uplinks, was.name) == nullptr) change.uplinksRemoved.push_back(was.name);
    }
    for (const UplinkConfig& is : next.uplinks) {
        const UplinkConfig* was = find(inForce.uplinks, is.name);
        if (was == nullptr) {
            change.uplinksAdded.push_back(is.name);
        } else if (*was != is) {
            change.uplinksChanged.push_back(is.name);
        }
    }
}

/// What is bound, opened or handed to another process once, at the start.
std::vector<std::string_view> restartsNeeded(const Config& was, const Config& is) {
    std::vector<std::string_view> settings;
    const auto compare = [&](bool same, std::string_view setting) {
        if (!same) settings.push_back(setting);
    };
    const ServerConfig& old = was.server;
    const ServerConfig& fresh = is.server;
    compare(was.agentId == is.agentId, "/agent_id");
    compare(was.dataDir == is.dataDir, "/data_dir");
    compare(old.enabled == fresh.enabled, "/server/enabled");
    compare(old.address == fresh.address && old.port == fresh.port, "/server/listen");
    compare(old.ownProcess == fresh.ownProcess, "/server/own_process");
    compare(old.allowedOrigins == fresh.allowedOrigins, "/server/allowed_origins");
    compare(old.allowedHosts == fresh.allowedHosts, "/server/allowed_hosts");
    compare(old.maxConnections == fresh.maxConnections, "/server/max_connections");
    compare(old.maxPerAddress == fresh.maxPerAddress, "/server/max_per_address");
    compare(old.trustedProxies == fresh.trustedProxies, "/server/trusted_proxies");
    compare(old.maxMessageBytes == fresh.maxMessageBytes, "/server/max_message_bytes");
    compare(old.authWithin == fresh.authWithin, "/server/auth_timeout_s");
    compare(old.tls == fresh.tls && old.selfSigned == fresh.selfSigned, "/server/tls");
    compare(old.webRoot == fresh.webRoot, "/server/web_root");
    compare(was.journal.maxBytes == is.journal.maxBytes, "/journal/max_mb");
    compare(was.journal.maxAge == is.journal.maxAge, "/journal/max_days");
    return settings;
}

/// "cameras: 1 added, 2 changed", or nothing.
std::string counted(const char* what, std::size_t added, std::size_t changed, std::size_t removed) {
    std::string text;
    const auto count = [&](std::size_t number, const char* how) {
        if (number == 0) return;
        text += concat(text.empty() ? concat(what, ": ") : std::string(", "), number, " ", how);
    };
    count(added, "added");
    count(changed, "changed");
    count(removed, "removed");
    return text;
}

}  // namespace

bool ConfigChange::nothing() const {
    return camerasRemoved.empty() && camerasAdded.empty() && camerasChanged.empty() &&
           uplinksRemoved.empty() && uplinksAdded.empty() && uplinksChanged.empty() && !vision && !tokens &&
           !logLevel;
}

ConfigChange changeBetween(const Config& inForce, const Config& next) {
    ConfigChange change;
    compareCameras(inForce, next, change);
    compareUplinks(inForce, next, change);
    change.vision = inForce.vision != next.vision;
    change.tokens =
        inForce.server.tokens != next.server.tokens || inForce.server.tokenKeys != next.server.tokenKeys;
    change.logLevel = inForce.logLevel != next.logLevel;
    change.needRestart = restartsNeeded(inForce, next);
    return change;
}

Config withoutRestart(const Config& inForce, Config next) {
    next.agentId = inForce.agentId;
    next.dataDir = inForce.dataDir;
    next.journal = inForce.journal;
    auto tokens = std::move(next.server.tokens);
    auto keys = std::move(next.server.tokenKeys);
    next.server = inForce.server;
    next.server.tokens = std::move(tokens);
    next.server.tokenKeys = std::move(keys);
    return next;
}

std::string described(const ConfigChange& change) {
    std::string text;
    const auto add = [&](const std::string& part) {
        if (part.empty()) return;
        text += (text.empty() ? "" : "; ") + part;
    };
    add(counted("cameras", change.camerasAdded.size(), change.camerasChanged.size(),
                change.camerasRemoved.size()));
    add(counted("uplinks", change.uplinksAdded.size(), change.uplinksChanged.size(),
                change.uplinksRemoved.size()));
    if (change.vision) add("vision");
    if (change.tokens) add("tokens");
    if (change.logLevel) add("the log level");
    return text.empty() ? "nothing that can change without a restart" : text;
}

}  // namespace edgecam::agent
