#include "agent/service_notify.hpp"

#include <glib.h>
#include <systemd/sd-daemon.h>
#include <unistd.h>

#include <algorithm>
#include <cinttypes>
#include <cstdint>
#include <ctime>

namespace edgecam::agent {

void notifyReady(const std::string& status) {
    std::string line = status;
    std::ranges::replace(line, '\n', ' ');  // one ends a field
    sd_notifyf(0, "READY=1\nSTATUS=%s", line.c_str());
}

void notifyReloading() {
    timespec now{};
    clock_gettime(CLOCK_MONOTONIC, &now);  // the clock that systemd compares with
    const auto microseconds = std::int64_t{now.tv_sec} * 1'000'000 + now.tv_nsec / 1000;
    sd_notifyf(0, "RELOADING=1\nMONOTONIC_USEC=%" PRId64, microseconds);
}

void notifyStopping() {
    sd_notify(0, "STOPPING=1");
}

void notifyAlive() {
    sd_notify(0, "WATCHDOG=1");
}

std::optional<Microseconds> watchdogInterval() {
    std::uint64_t microseconds = 0;
    if (sd_watchdog_enabled(0, &microseconds) <= 0 || microseconds == 0) return std::nullopt;
    return Microseconds(static_cast<std::int64_t>(microseconds));
}

bool stdoutIsJournal() {
    return g_log_writer_is_journald(STDOUT_FILENO) != 0;
}

}  // namespace edgecam::agent
