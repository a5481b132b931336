#include "capture/device_watch.hpp"

#include <glib-unix.h>
#include <sys/inotify.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <string_view>

#include "base/log.hpp"

namespace edgecam::capture {
namespace {

/// IN_ATTRIB: udev gives the node its group, without which it cannot be opened, after the kernel made it.
constexpr std::uint32_t kEvents = IN_CREATE | IN_MOVED_TO | IN_ATTRIB | IN_ONLYDIR;

/// "video3", or "v4l", the folder of udev's links.
bool isVideo(std::string_view name) {
    return name.starts_with("video") || name == "v4l";
}

}  // namespace

DeviceWatch::DeviceWatch(std::function<void()> appeared, const std::string& folder)
    : appeared_(std::move(appeared)), file_(::inotify_init1(IN_NONBLOCK | IN_CLOEXEC)) {
    if (file_ < 0 || ::inotify_add_watch(file_, folder.c_str(), kEvents) < 0) {
        logInfo("capture", "cameras that are plugged in are found within 2 s and not at once: ", folder,
                " cannot be watched: ", std::strerror(errno));
        return;
    }
    source_ = g_unix_fd_add(file_, G_IO_IN, &DeviceWatch::ready, this);
}

DeviceWatch::~DeviceWatch() {
    if (source_ != 0) g_source_remove(source_);
    if (file_ >= 0) ::close(file_);
}

gboolean DeviceWatch::ready(gint, GIOCondition, gpointer self) noexcept {
    const auto* watch = static_cast<const DeviceWatch*>(self);
    if (watch->readEvents()) watch->appeared_();
    return G_SOURCE_CONTINUE;
}

/// Whether there was a video device among them.
bool DeviceWatch::readEvents() const {
    alignas(inotify_event) char events[4096];
    bool video = false;
    for (;;) {
        const ssize_t size = ::read(file_, events, sizeof events);
        if (size <= 0) return video;
        for (const char* at = events; at < events + size;) {
            const auto* event = reinterpret_cast<const inotify_event*>(at);
            // Events that were lost may have been of one.
            if ((event->mask & IN_Q_OVERFLOW) != 0) video = true;
            if (event->len > 0 && isVideo(event->name)) video = true;
            at += sizeof *event + event->len;
        }
    }
}

}  // namespace edgecam::capture
