// ServiceNotify: what systemd is told. Without systemd every call is a no-op.
#pragma once

#include <optional>
#include <string>

#include "base/clock.hpp"

namespace edgecam::agent {

void notifyReady(const std::string& status);
/// The config is read again; notifyReady() says when that is over, and what came of it.
void notifyReloading();
void notifyStopping();
/// Feeds systemd's watchdog.
void notifyAlive();
/// How often that is to be done at least; nothing: nobody waits for it.
std::optional<Microseconds> watchdogInterval();

/// Whether stdout ends in the journal, where a secret must not be printed.
bool stdoutIsJournal();

}  // namespace edgecam::agent
