#include "agent/found_cameras.hpp"

#include <glib.h>

#include <algorithm>
#include <iterator>

#include "base/log.hpp"
#include "capture/device_finder.hpp"

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

template <class Member, class Value>
bool isIn(const std::vector<CameraConfig>& cameras, Member member, const Value& value) {
    return std::ranges::find(cameras, value, member) != cameras.end();
}

}  // namespace

std::vector<CameraConfig> camerasFound(const std::vector<capture::V4l2Device>& devices,
                                       const std::vector<CameraConfig>& known) {
    struct Named {
        std::string uri;
        std::string id;
    };
    std::vector<Named> found;
    for (const capture::V4l2Device& device : devices)
        found.push_back({.uri = capture::stableUri(device, devices), .id = idFor(device.name)});
    std::ranges::stable_sort(found, {}, &Named::uri);

    std::vector<CameraConfig> cameras = known;
    for (const Named& each : found) {
        auto source = capture::parseSourceUri(each.uri);
        const bool full = cameras.size() == kMostCameras;
        if (full || !source || isIn(cameras, &CameraConfig::source, *source)) continue;
        std::string id = each.id;
        for (int number = 2; isIn(cameras, &CameraConfig::id, id); ++number)
            id = concat(each.id, "-", number);
        CameraConfig& camera = cameras.emplace_back();
        camera.id = id;
        camera.source = *std::move(source);
        camera.pictures = usualPictureLimits(camera.source.kind);
    }
    return {cameras.begin() + static_cast<std::ptrdiff_t>(known.size()), cameras.end()};
}

std::vector<CameraConfig> findCameras(const std::vector<CameraConfig>& known) {
    const auto devices = capture::listDevices();
    if (!devices) {
        logWarning("agent",
                   "the config names no camera, and none can be looked for: ", devices.error().message);
        return {};
    }
    std::vector<CameraConfig> fresh = camerasFound(*devices, known);
    if (known.empty() && fresh.empty())
        logWarning("agent", "the config names no camera, and this machine has none");
    for (const CameraConfig& camera : fresh) {
        logInfo("agent", "the config names no camera: found ", camera.id, ", ", camera.source.shown());
    }
    return fresh;
}

Config withFoundCameras(Config config, const std::vector<CameraConfig>& known) {
    if (!config.findCameras) return config;
    config.cameras = known;
    std::ranges::copy(findCameras(known), std::back_inserter(config.cameras));
    return config;
}

}  // namespace edgecam::agent
