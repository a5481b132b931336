#include <sysexits.h>

#include <cstdio>

#include "agent/agent.hpp"
#include "agent/commands.hpp"
#include "agent/config.hpp"
#include "agent/main_loop.hpp"
#include "agent/service_notify.hpp"
#include "agent/version.hpp"
#include "base/log.hpp"
#include "capture/gst.hpp"

namespace edgecam::agent {
namespace {

LogLevel levelOf(const RunOptions& options, const Config& config) {
    if (!options.logLevel) return config.logLevel;
    if (*options.logLevel == "error") return LogLevel::error;
    if (*options.logLevel == "warning") return LogLevel::warning;
    if (*options.logLevel == "debug") return LogLevel::debug;
    return LogLevel::info;
}

void sayWhere(const Agent& agent, const Config& config) {
    const std::string url = agent.pageUrl();
    if (url.empty()) return;
    if (stdoutIsJournal()) {
        std::printf("the page is served on port %d; edgecam token CONFIG prints its address\n",
                    config.server.port);
    } else {
        std::printf("page: %s\n", url.c_str());
    }
    std::fflush(stdout);
}

}  // namespace

int runCommand(const RunOptions& options) {
    startLog(LogLevel::info);
    auto config = loadConfig(options.config);
    if (!config) {
        std::fprintf(stderr, "edgecam: %s: %s\n", options.config.c_str(), config.error().message.c_str());
        return EX_CONFIG;
    }
    startLog(levelOf(options, *config));
    capture::startGStreamer();
    logInfo("agent", "edgecam ", kVersion, ", ", config->cameras.size(), " camera(s), ",
            config->uplinks.size(), " uplink(s)");

    const SystemClock clock;
    MainLoop loop;
    auto agent = Agent::start(*config, loop, clock);
    if (!agent) {
        std::fprintf(stderr, "edgecam: %s\n", agent.error().message.c_str());
        return EX_UNAVAILABLE;
    }
    sayWhere(**agent, *config);
    notifyReady("running");
    loop.run();
    notifyStopping();
    logInfo("agent", "stopping");
    return EX_OK;
}

}  // namespace edgecam::agent
