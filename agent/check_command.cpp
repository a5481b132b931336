#include <sysexits.h>

#include <cstdio>

#include "agent/commands.hpp"
#include "agent/config.hpp"
#include "agent/found_cameras.hpp"
#include "agent/places.hpp"
#include "agent/tls_files.hpp"
#include "agent/token_store.hpp"
#include "uplink/hub_url.hpp"

namespace edgecam::agent {

int checkCommand(const std::string& path) {
    auto config = loadConfig(path);
    if (!config) {
        std::fprintf(stderr, "%s: %s\n", shownConfigPath(path).c_str(), config.error().message.c_str());
        return EX_CONFIG;
    }
    auto usable = checkTlsFiles(*config, SystemClock().utc());
    if (usable) usable = TokenStore::check(config->server);
    if (!usable) {
        std::fprintf(stderr, "%s: %s\n", shownConfigPath(path).c_str(), usable.error().message.c_str());
        return EX_CONFIG;
    }
    std::printf("%s: ok\n", shownConfigPath(path).c_str());
    startLog(LogLevel::error);
    *config = withFoundCameras(*std::move(config));
    if (config->findCameras)
        std::printf("  no cameras are named: all that are found now, %zu\n", config->cameras.size());
    for (const CameraConfig& camera : config->cameras) {
        std::printf("  camera %s: %s%s\n", camera.id.c_str(), camera.source.shown().c_str(),
                    camera.enabled ? "" : " (disabled)");
        if (camera.substream) std::printf("    sub stream %s\n", camera.substream->shown().c_str());
    }
    if (config->server.enabled) {
        std::printf(
            "  serves %s port %d%s, %s\n", config->server.address.c_str(), config->server.port,
            config->server.secure() ? " over TLS" : "",
            config->server.makesToken() ? "with a token made at first start" : "with the tokens given");
    }
    for (const UplinkConfig& uplink : config->uplinks) {
        // What is shown holds no query, which may hold a secret.
        for (const uplink::HubUrl& hub : uplink.hubs) std::printf("  dials %s\n", hub.shown.c_str());
    }
    return EX_OK;
}

}  // namespace edgecam::agent
