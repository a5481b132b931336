// FaceEvents: what is worth telling about tracked faces: that one came, that there is a better view of it or
// it is in another zone, that it left. It knows no detector and no pixels, and keeps no history beyond the
// faces that are there.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "base/clock.hpp"
#include "base/face.hpp"
#include "vision/face_path.hpp"
#include "vision/scene_rules.hpp"

namespace edgecam::vision {

/// A live track in one picture.
struct Sighting {
    std::uint64_t trackId = 0;
    Face face;
    float quality = 0;  ///< 0..1, see faceQuality()
};

class FaceEvents {
  public:
    explicit FaceEvents(std::string cameraId, SceneRules rules = {})
        : cameraId_(std::move(cameraId)), rules_(std::move(rules)) {}

    /// From the next picture on by these.
    void retune(SceneRules rules) { rules_ = std::move(rules); }

    /// What one picture tells. `seen`: the live tracks in it; `ended`: tracks that were live and are no more.
    /// First come the leaves, then enters and updates in the order of `seen`. An update comes when the best
    /// view of a face became clearly better or its zones changed (for two pictures: a box trembles), no more
    /// than once a second. Time is that of capture, and a wall clock that jumps brings an update early at
    /// worst.
    std::vector<FaceEvent> tell(const FrameRef& frame, const std::vector<Sighting>& seen,
                                const std::vector<std::uint64_t>& ended);

    /// The leaves of tracks that ended without a picture to show it. An unknown track tells nothing.
    std::vector<FaceEvent> leave(const std::vector<std::uint64_t>& ended);

  private:
    struct Presence {
        Face face;
        FrameRef frame;  ///< the last one it was seen in
        float quality = 0;
        Utc firstSeen;  ///< when it entered
        Utc lastTold;
        BestShot best;
        float bestTold = 0;
        std::vector<std::string> zones;
        std::vector<std::string> zonesSeen;  ///< in the last picture; they count when the next agrees
        std::vector<std::string> entered;    ///< since the last event
        std::vector<std::string> left;
        FacePath path;
    };

    void begin(Presence& presence, const FrameRef& frame, const Sighting& sighting) const;
    void take(Presence& presence, const FrameRef& frame, const Sighting& sighting) const;
    static void move(Presence& presence, std::vector<std::string> zones);
    static bool worthTelling(const Presence& presence);
    FaceEvent tellOf(FacePhase phase, std::uint64_t trackId, Presence& presence) const;

    const std::string cameraId_;
    SceneRules rules_;
    std::map<std::uint64_t, Presence> present_;  ///< by track
};

}  // namespace edgecam::vision
