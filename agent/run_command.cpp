#include <sys/resource.h>
#include <sys/stat.h>
#include <sysexits.h>

#include <cstdio>

#include "agent/agent.hpp"
#include "agent/commands.hpp"
#include "agent/config.hpp"
#include "agent/main_loop.hpp"
#include "agent/places.hpp"
#include "agent/service_notify.hpp"
#include "agent/version.hpp"
#include "agent/watchdog.hpp"
#include "base/log.hpp"
#include "capture/gst.hpp"
#include "uplink/relayed_server.hpp"

namespace edgecam::agent {
namespace {

LogLevel levelOf(const std::optional<std::string>& asked, LogLevel otherwise) {
    for (const LogLevel level : {LogLevel::error, LogLevel::warning, LogLevel::info, LogLevel::debug}) {
        if (asked == nameOf(level)) return level;
    }
    return otherwise;
}

/// A core dump would hold tokens that are on their way, and pictures. Who needs one raises the limit again:
/// prlimit --core=unlimited --pid PID.
void dumpNoCore() {
    rlimit limit{};
    if (getrlimit(RLIMIT_CORE, &limit) != 0) return;
    limit.rlim_cur = 0;
    setrlimit(RLIMIT_CORE, &limit);
}

void sayWhere(const Agent& agent, const Config& config) {
    const std::string url = agent.pageUrl();
    if (url.empty()) return;
    if (stdoutIsJournal()) {
        std::printf("the page is served on port %d; edgecam token prints its address\n", config.server.port);
    } else {
        std::printf("page: %s\n", url.c_str());
        if (url.find('#') == std::string::npos) std::printf("it asks for a token of the config\n");
    }
    std::fflush(stdout);
}

/// A config that cannot be used is refused, and the one in force stays.
void reload(Agent& agent, const RunOptions& options) {
    notifyReloading();
    const auto refuse = [&](const Error& error) {
        logError("agent", shownConfigPath(options.config),
                 " was read again and is refused, the config in force stays: ", error.message);
        notifyReady("running; a config that was read again is refused: " + error.message);
    };
    const auto done = agent.reload();
    if (!done) return refuse(done.error());
    logInfo("agent", shownConfigPath(options.config), " was read again: ", *done);
    notifyReady("running");
}

}  // namespace

int runCommand(const RunOptions& options) {
    umask(0077);  // the journal and whatever else comes into being is for this user alone
    dumpNoCore();
    startLog(LogLevel::info);
    auto file = readConfigFile(options.config);
    if (!file) {
        std::fprintf(stderr, "edgecam: %s: %s\n", shownConfigPath(options.config).c_str(),
                     file.error().message.c_str());
        return EX_CONFIG;
    }
    auto chosen = takeConfig(*std::move(file));
    if (!chosen) {
        std::fprintf(stderr, "edgecam: %s\n", chosen.error().message.c_str());
        return EX_UNAVAILABLE;
    }
    const Config* const config = &chosen->config;
    startLog(levelOf(options.logLevel, config->logLevel));
    capture::startGStreamer();
    logInfo("agent", "edgecam ", kVersion, ", ", shownConfigPath(options.config), ", ",
            config->cameras.size(), " camera(s), ", config->uplinks.size(), " uplink(s)");

    const SystemClock clock;
    MainLoop loop;
    const auto given =
        options.logLevel ? std::optional(levelOf(options.logLevel, config->logLevel)) : std::nullopt;
    auto agent = Agent::start(*chosen, loop, clock, given);
    if (!agent) {
        std::fprintf(stderr, "edgecam: %s\n", agent.error().message.c_str());
        return EX_UNAVAILABLE;
    }
    loop.onHangup([&] { reload(**agent, options); });
    sayWhere(**agent, *config);
    notifyReady("running");
    std::optional<Watchdog> watchdog;
    if (const auto interval = watchdogInterval()) watchdog.emplace(*interval, clock);
    loop.run();
    notifyStopping();
    logInfo("agent", "stopping");
    return EX_OK;
}

int viewersCommand(const std::optional<std::string>& logLevel) {
    startLog(levelOf(logLevel, LogLevel::info));
    return uplink::serveViewers();
}

}  // namespace edgecam::agent
