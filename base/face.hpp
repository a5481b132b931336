// The words vision and uplink share: a face in a picture, a track, an event of its life.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/bytes.hpp"
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

/// The best view of a face so far.
struct BestShot {
    float quality = 0;  ///< 0..1, as FaceEvent::quality
    FrameRef frame;
    RectNorm box;
};

/// A face cut out of its picture with something around it, as a JPEG.
struct Snapshot {
    Size size;              ///< pixels
    std::size_t bytes = 0;  ///< of the JPEG
    SharedBytes jpeg;       ///< null: it is elsewhere (in the journal), or was
    static constexpr std::size_t kMostBytes = 64 << 10;
    /// What is not larger may travel within a message.
    static constexpr std::size_t kMostInline = 4 << 10;
};

/// Where a face was, and when.
struct PathPoint {
    PointNorm centre;
    Microseconds since{0};  ///< after FaceEvent::firstSeen
    bool operator==(const PathPoint&) const = default;
};

struct FaceEvent {
    std::string eventId;  ///< unique over boxes and restarts (UUID)
    std::string cameraId;
    FacePhase phase = FacePhase::enter;
    std::uint64_t trackId = 0;
    Utc timestamp;            ///< capture time of `frame`
    bool clockSynced = true;  ///< whether the box knew the time when it said so
    Utc firstSeen;
    Utc lastSeen;
    Face face;
    FrameRef frame;
    float quality = 0;                      ///< how good a view of the face this is, 0..1
    std::vector<std::string> zones;         ///< it is in, of the camera's; in a leave: it was in, at last
    std::vector<std::string> zonesEntered;  ///< since the last event of the track
    std::vector<std::string> zonesLeft;     ///< the same; a leave leaves all
    std::optional<BestShot> best;           ///< but in an enter, which is all there is of it
    /// Of `best`, in an enter of `frame`. Missing where an earlier update of the track had this one, but in a
    /// leave, and where none is made.
    std::optional<Snapshot> snapshot;
    std::vector<PathPoint> path;            ///< in a leave: a summary, at most kMostPathPoints
    static constexpr std::size_t kMostPathPoints = 17;
};

}  // namespace edgecam
