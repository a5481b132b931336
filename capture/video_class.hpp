// VideoClass: what sysfs says of a V4L2 node beside what its driver does. Reads a folder; opens no device.
#pragma once

#include <filesystem>
#include <string>

namespace edgecam::capture {

struct NodeFacts {
    std::string serial;  ///< of the USB device that the node belongs to; empty: none, or it is no USB device
    int index = 0;       ///< the node's place among those of its device, from 0
};

/// Of the node of that name ("video0"). `videoClass`: /sys/class/video4linux, or one that looks like it. What
/// is not there, or is not what it should be, counts as not said. Thread-safe.
NodeFacts factsOf(const std::filesystem::path& videoClass, const std::string& node);

}  // namespace edgecam::capture
