// Found cameras: what a box that was told nothing looks through, every V4L2 camera that its kernel has. Pure;
// the devices are listed elsewhere.
#pragma once

#include <vector>

#include "agent/config.hpp"
#include "capture/v4l2_device.hpp"

namespace edgecam::agent {

/// A camera for each device, by a name of it that does not change where there is one (by-id, by-path), with
/// the defaults of a camera that a config names. Ids are the card's words in small letters, as
/// "hd-webcam-c270"; of equal ones the second is "…-2", in the order of those names, and so the same after
/// every boot with the same cameras.
std::vector<CameraConfig> camerasFound(std::vector<capture::V4l2Device> devices);

/// Puts them in where the config asks for what is found (Config::findCameras), and says so in the log.
void findCameras(Config& config);

}  // namespace edgecam::agent
