#include "agent/found_cameras.hpp"

#include <glib.h>

#include <algorithm>
#include <map>

#include "base/log.hpp"

namespace edgecam::agent {
namespace {

constexpr std::size_t kLongestId = 48;  // of the 64 that an id may have: room for a number
constexpr std::size_t kMostCameras = 64;

/// Small letters and digits, one dash for all that lies between.
std::string idFor(const std::string& words) {
    std::string id;
    for (const char letter : words) {
        if (g_ascii_isalnum(letter) != 0) {
            id.push_back(g_ascii_tolower(letter));
        } else if (!id.empty() && id.back() != '-') {
            id.push_back('-');
        }
        if (id.size() == kLongestId) break;
    }
    while (!id.empty() && id.back() == '-') id.pop_back();
    return id.empty() ? "camera" : id;
}

const std::string& steadyName(const capture::V4l2Device& device) {
    if (!device.byId.empty()) return device.byId;
    return device.byPath.empty() ? device.path : device.byPath;
}

}  // namespace

std::vector<CameraConfig> camerasFound(std::vector<capture::V4l2Device> devices) {
    std::ranges::stable_sort(devices, {}, steadyName);
    std::vector<CameraConfig> cameras;
    std::map<std::string, int> named;
    for (const capture::V4l2Device& device : devices) {
        if (cameras.size() == kMostCameras) break;
        auto source = capture::parseSourceUri("v4l2://" + steadyName(device));
        if (!source) continue;
        const std::string id = idFor(device.name);
        const int number = ++named[id];
        CameraConfig& camera = cameras.emplace_back();
        camera.id = number == 1 ? id : concat(id, "-", number);
        camera.source = *std::move(source);
    }
    return cameras;
}

void findCameras(Config& config) {
    if (!config.findCameras) return;
    auto devices = capture::listDevices();
    if (!devices) {
        logWarning("agent",
                   "the config names no camera, and none can be looked for: ", devices.error().message);
        return;
    }
    config.cameras = camerasFound(*std::move(devices));
    if (config.cameras.empty()) logWarning("agent", "the config names no camera, and this machine has none");
    for (const CameraConfig& camera : config.cameras) {
        logInfo("agent", "the config names no camera: found ", camera.id, ", ", camera.source.shown());
    }
}

}  // namespace edgecam::agent
