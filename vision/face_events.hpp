// FaceEvents: what is worth telling about tracked faces: that one came, how it is once a second, that it
// left. It knows no detector and keeps no history beyond the faces that are there.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "base/clock.hpp"
#include "base/face.hpp"

namespace edgecam::vision {

class FaceEvents {
  public:
    explicit FaceEvents(std::string cameraId) : cameraId_(std::move(cameraId)) {}

    /// What one picture tells. `seen`: the live tracks in it; `ended`: tracks that were live and are no more.
    /// First come the leaves, then enters and updates in the order of `seen`. Time is that of capture, and a
    /// wall clock that jumps brings an update early at worst.
    std::vector<FaceEvent> tell(const FrameRef& frame, const std::vector<TrackedFace>& seen,
                                const std::vector<std::uint64_t>& ended);

    /// The leaves of tracks that ended without a picture to show it. An unknown track tells nothing.
    std::vector<FaceEvent> leave(const std::vector<std::uint64_t>& ended);

  private:
    struct Presence {
        Face face;
        FrameRef frame;  ///< the last one it was seen in
        Utc firstSeen;   ///< when it entered
        Utc lastTold;
    };

    [[nodiscard]] FaceEvent eventOf(FacePhase phase, std::uint64_t trackId, const Presence& presence) const;

    const std::string cameraId_;
    std::map<std::uint64_t, Presence> present_;  ///< by track
};

}  // namespace edgecam::vision
