// The words vision and uplink share: a face in a picture, a track, an event of its life.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.hpp"
#include "base/geometry.hpp"

namespace edgecam {

/// The person's right eye, left eye, nose tip, right and left mouth corner.
using Landmarks = std::array<PointNorm, 5>;

struct Face {
    RectNorm box;
    float confidence = 0;  ///< 0..1, the detector's own scale
    std::optional<Landmarks> landmarks;
};

/// Which picture something was seen in: exact to the frame.
struct FrameRef {
    std::uint32_t sequence = 0;
    Utc captureTime;
    Size size;  ///< of the picture at capture, pixels
};

struct TrackedFace {
    std::uint64_t trackId = 0;
    Face face;
};

/// All faces of one analysed picture.
struct Detections {
    std::string cameraId;
    FrameRef frame;
    std::vector<TrackedFace> faces;
};

enum class FacePhase { enter, update, leave };

inline const char* nameOf(FacePhase phase) {
    switch (phase) {
        case FacePhase::enter:
            return "enter";
        case FacePhase::update:
            return "update";
        case FacePhase::leave:
            return "leave";
    }
    return "update";
}

struct FaceEvent {
    std::string eventId;  ///< unique over boxes and restarts (UUID)
    std::string cameraId;
    FacePhase phase = FacePhase::enter;
    std::uint64_t trackId = 0;
    Utc timestamp;  ///< capture time of `frame`
    bool clockSynced = true;  ///< whether the box knew the time when it said so
    Utc firstSeen;
    Utc lastSeen;
    Face face;
    FrameRef frame;
};

}  // namespace edgecam
