// CameraVision: what of looking is one camera's own. Takes the newest picture of its camera, has faces found
// in it, tracks them, and tells what it saw. It knows no camera and no peer, and neither the thread nor the
// other cameras that it shares a detector with (VisionThread); it never makes a producer wait.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>

#include "base/clock.hpp"
#include "base/face.hpp"
#include "base/log.hpp"
#include "base/mailbox.hpp"
#include "base/picture.hpp"
#include "vision/best_shots.hpp"
#include "vision/face_detector.hpp"
#include "vision/face_events.hpp"
#include "vision/face_tracker.hpp"
#include "vision/motion_gate.hpp"
#include "vision/scene_rules.hpp"

namespace edgecam::vision {

/// Thread-safe, but for what is said to be the looking thread's.
class CameraVision {
  public:
    struct Callbacks {
        /// Called on the thread that looks, in this order for each picture: detections, then its events. A
        /// leave may also come alone: when no picture could be analysed for a while, and at the end, then on
        /// the thread that ends it. Never two at a time. Either may be empty.
        std::function<void(const Detections&)> detections;
        std::function<void(const FaceEvent&)> event;
        /// Called as these when it changes: whether all pictures are wanted, since there is a
        /// face that is followed, or may be from the next picture on. At first it is not. May be empty.
        std::function<void(bool)> attention = {};
    };

    /// `clock` must outlive it. `newPicture` is called whenever a picture has been put in, on the thread that
    /// did; it must not block.
    CameraVision(std::string cameraId, const Clock& clock, Callbacks callbacks,
                 const TrackerSettings& tracking, SceneRules scene, std::function<void()> newPicture);

    /// Tracks by other rules from the next picture on, for pictures that come at another rate. Does not wait;
    /// the last call counts.
    void retune(const TrackerSettings& tracking);
    /// The same for what is told of where.
    void retune(SceneRules scene);
    /// The same for the pictures of faces: JPEGs of at most so many bytes; 0, as at first: none.
    void limitSnapshots(std::size_t mostBytes) { snapshotBytes_ = mostBytes; }

    /// Where the camera's pictures are put.
    [[nodiscard]] Mailbox<Picture>& pictures() { return pictures_; }

    /// Counters for status and metrics.
    struct Figures {
        std::uint64_t analysed = 0;
        std::uint64_t skipped = 0;  ///< replaced by a newer picture before anybody looked
        std::uint64_t still = 0;    ///< not looked through: nobody was followed, and nothing had changed
        std::uint64_t failed = 0;
        Microseconds lastDuration{0};   ///< of one analysis
        Microseconds processorTime{0};  ///< of all analyses
    };
    [[nodiscard]] Figures figures() const;

    // What follows is the looking thread's.

    /// There is a picture, or something to tell without one.
    [[nodiscard]] bool wantsTurn(Monotonic now) const;
    /// Looks through the newest picture, if there is one, and tells what is due. Blocks for an analysis.
    /// nullptr: there is nothing to look with, the picture is let go of.
    void turn(FaceDetector* detector);
    /// Another detector looks from the next turn on: by then the live tracks leave.
    void startOver();
    /// The live tracks leave. Also any other thread's, once no turn comes any more.
    void end();

  private:
    void takeNewRules();
    [[nodiscard]] bool outOfPatience(Monotonic now) const;
    void look(const Picture& picture, FaceDetector& detector);
    void report(const Picture& picture, std::vector<Face> faces);
    void endTracks();
    void attend();
    void complain(const Error& error);
    void tell(const std::vector<FaceEvent>& events) const;

    const std::string cameraId_;
    const Clock& clock_;
    const Callbacks callbacks_;

    // Of the looking thread alone.
    Microseconds patience_;  ///< without an analysed picture, until live tracks leave
    FaceTracker tracker_;
    bool attentive_ = false;
    MotionGate gate_;
    SceneRules scene_;
    FaceEvents events_;
    BestShots bestShots_;
    LogThrottle complaints_;
    Monotonic lastAnalysis_;
    bool startsOver_ = false;

    std::mutex newRulesMutex_;
    std::optional<TrackerSettings> newRules_;
    std::optional<SceneRules> newScene_;
    std::atomic<std::size_t> snapshotBytes_{0};
    std::atomic<std::int64_t> processorUs_{0};

    Mailbox<Picture> pictures_;
    std::atomic<std::uint64_t> analysed_{0};
    std::atomic<std::uint64_t> still_{0};
    std::atomic<std::uint64_t> failed_{0};
    std::atomic<std::int64_t> lastDurationUs_{0};
};

}  // namespace edgecam::vision
