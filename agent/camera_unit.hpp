// CameraUnit: a camera with the eyes that look through it, and what was last asked of its encode.
#pragma once

#include <map>
#include <memory>
#include <string>

#include "agent/config.hpp"
#include "capture/camera.hpp"
#include "vision/vision_worker.hpp"

namespace edgecam::agent {

/// Thread-bound (main). The camera goes first: it puts pictures into the worker's mailbox.
struct CameraUnit {
    CameraConfig config;
    std::unique_ptr<vision::VisionWorker> vision;  ///< nullptr: nobody looks
    std::unique_ptr<capture::Camera> camera;
    std::string quality = "auto";    ///< the wish in force for the camera's one encode
    bool qualityByOperator = false;  ///< then a viewer's wish does not replace it
};

using CameraUnits = std::map<std::string, CameraUnit>;

}  // namespace edgecam::agent
