// DeviceWatch: says when the kernel has made a video device, or udev has handed one over. It knows no camera
// and opens nothing.
#pragma once

#include <glib.h>

#include <functional>
#include <string>

namespace edgecam::capture {

/// Thread-bound (main): made, destroyed and heard there. Without inotify it says nothing, and one line in the
/// log says that.
class DeviceWatch {
  public:
    /// `appeared`: soon after one did; more at the same time are one. It must not destroy the watch.
    /// `folder`: where nodes appear.
    explicit DeviceWatch(std::function<void()> appeared, const std::string& folder = "/dev");
    ~DeviceWatch();
    DeviceWatch(const DeviceWatch&) = delete;
    DeviceWatch& operator=(const DeviceWatch&) = delete;

  private:
    static gboolean ready(gint file, GIOCondition, gpointer self) noexcept;
    [[nodiscard]] bool readEvents() const;

    const std::function<void()> appeared_;
    int file_ = -1;
    guint source_ = 0;
};

}  // namespace edgecam::capture
