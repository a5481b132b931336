// Found cameras: what a box that was told nothing looks through, every V4L2 camera that its kernel has. Pure;
// the devices are listed elsewhere.
#pragma once

#include <vector>

#include "agent/config.hpp"
#include "capture/v4l2_device.hpp"

namespace edgecam::agent {

/// A camera for each device that is none of `known`, by what it is and not by its number where that tells it
/// from the others, with the defaults of a camera that a config names. Ids are the card's words in small
/// letters, as "hd-webcam-c270"; of equal ones the second is "…-2", in the order of their sources, and so the
/// same after every start with the same cameras. At most 64 with those that are known.
std::vector<CameraConfig> camerasFound(const std::vector<capture::V4l2Device>& devices,
                                       const std::vector<CameraConfig>& known = {});

/// The same of the devices of this machine, said in the log. Opens each to ask what it is.
std::vector<CameraConfig> findCameras(const std::vector<CameraConfig>& known = {});

/// A config as it was written, with `known` and what else is found in place of the cameras that it does not
/// name.
Config withFoundCameras(Config config, const std::vector<CameraConfig>& known = {});

}  // namespace edgecam::agent
