// CameraUnit: a camera with the eyes that look through it, wired.
#pragma once

#include <map>
#include <memory>
#include <string>

#include "agent/config.hpp"
#include "capture/camera.hpp"
#include "vision/vision_thread.hpp"

namespace edgecam::agent {

/// Thread-bound (main). The camera goes first: it puts pictures into the mailbox of those eyes.
struct CameraUnit {
    CameraConfig config;
    std::string detector = "off";        ///< what looks, or why nothing does; for statuses
    vision::VisionThread::Place vision;  ///< nullptr: nobody looks
    bool looking = false;                ///< it is given pictures
    std::unique_ptr<capture::Camera> camera;
};

using CameraUnits = std::map<std::string, CameraUnit>;

}  // namespace edgecam::agent
