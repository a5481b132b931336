// FaceTracker: which face of this picture is which of the last one. Tracking by detection: boxes that move at
// constant speed, matched by overlap, the sure detections first and the weak ones only to keep a face that is
// followed already (the idea of ByteTrack: Zhang et al., ECCV 2022). Pure; it knows no OpenCV and no event.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "base/clock.hpp"
#include "base/face.hpp"

namespace edgecam::vision {

struct TrackerSettings {
    float confident = 0.6F;   ///< matched first, 0..1
    float birth = 0.7F;       ///< the least that starts a track
    float weak = 0.3F;        ///< from here to `confident`: only extends a live track; weaker is ignored
    int hitsToConfirm = 2;    ///< seen in that many pictures in a row, a track becomes live
    float minOverlap = 0.1F;  ///< intersection over union with the expected box
    Microseconds forgetAfter = std::chrono::seconds(1);  ///< unseen this long, a live track ends
    Microseconds longestGap =
        std::chrono::seconds(3);  ///< between two pictures; a longer one ends all tracks
};

/// The settings for a wish in a config. `minConfidence` (0.3..0.95) is what a face is taken seriously from:
/// starting takes 0.1 more, staying half. Above 20 pictures a second a face is seen three times before it
/// counts. Slower than a picture a second the limits of time grow with the interval.
TrackerSettings trackerSettings(float minConfidence, double picturesPerSecond);

class FaceTracker {
  public:
    explicit FaceTracker(TrackerSettings settings = {}) : settings_(settings) {}

    /// From now on by these rules; ids go on from where they are.
    void retune(const TrackerSettings& settings) { settings_ = settings; }

    struct Outcome {
        /// The live tracks seen in this picture, with the detector's own boxes: what was not seen is not
        /// here.
        std::vector<TrackedFace> seen;
        std::vector<std::uint64_t> ended;  ///< tracks that were live and are no more
    };
    /// One picture's faces, as FaceDetector gives them. Time is that of capture; a clock set back counts as
    /// no time.
    Outcome follow(const std::vector<Face>& faces, Utc captureTime);

    /// Nobody is followed, nor may be from the next picture on.
    [[nodiscard]] bool empty() const { return tracks_.empty(); }

    /// Ends all tracks; the ids of those that were live.
    std::vector<std::uint64_t> endAll();

  private:
    /// Centre and size, fractions of the picture; or their change in a second.
    struct Motion {
        float x = 0;
        float y = 0;
        float width = 0;
        float height = 0;
    };
    struct Track {
        std::uint64_t id = 0;  ///< 0 until live
        Motion place;          ///< where it is expected at the time of the picture
        Motion speed;
        int hits = 0;
        Microseconds unseen{0};       ///< 0 right after it was seen
        const Face* match = nullptr;  ///< its face, while a picture is being followed
    };
    using Candidates = std::vector<const Face*>;

    Microseconds stepTo(Utc captureTime);
    void expect(Microseconds step);
    void match(Candidates& faces, bool onlyLive);
    void settle(Outcome& outcome);
    void start(const Candidates& faces);
    static void correct(Track& track, const Motion& seen);
    static Motion motionOf(const RectNorm& box);
    static RectNorm boxOf(const Motion& place);

    TrackerSettings settings_;
    std::vector<Track> tracks_;
    std::uint64_t lastId_ = 0;
    std::optional<Utc> lastPicture_;
};

}  // namespace edgecam::vision
