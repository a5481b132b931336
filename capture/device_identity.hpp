// DeviceIdentity: what tells one V4L2 camera from another when the kernel numbers them anew. A plain value.
#pragma once

#include <string>

namespace edgecam::capture {

struct DeviceIdentity {
    std::string name;    ///< the card's, e.g. "HD Pro Webcam C920"
    std::string bus;     ///< where it is plugged in, as VIDIOC_QUERYCAP says, e.g. "usb-0000:00:14.0-1"
    std::string serial;  ///< of the USB device; empty: it has none
    int index = 0;       ///< which of the device's nodes: one camera may have several
    bool operator==(const DeviceIdentity&) const = default;
};

}  // namespace edgecam::capture
