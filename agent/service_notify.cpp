#include "agent/service_notify.hpp"

#include <glib.h>
#include <systemd/sd-daemon.h>
#include <unistd.h>

namespace edgecam::agent {

void notifyReady(const std::string& status) {
    sd_notifyf(0, "READY=1\nSTATUS=%s", status.c_str());
}

void notifyStopping() {
    sd_notify(0, "STOPPING=1");
}

bool stdoutIsJournal() {
    return g_log_writer_is_journald(STDOUT_FILENO) != 0;
}

}  // namespace edgecam::agent
