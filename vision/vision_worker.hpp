// VisionWorker: the thread that looks. Takes the newest picture of its camera, finds and tracks faces, and
// tells what it saw. It knows no camera and no peer; it never makes a producer wait.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>

#include "base/clock.hpp"
#include "base/face.hpp"
#include "base/log.hpp"
#include "base/mailbox.hpp"
#include "base/picture.hpp"
#include "vision/face_detector.hpp"
#include "vision/face_events.hpp"
#include "vision/face_tracker.hpp"
#include "vision/motion_gate.hpp"
#include "vision/scene_rules.hpp"

namespace edgecam::vision {

/// Thread-safe after construction. One worker a camera: its own detector (a network is not to be shared
/// between threads), its own tracker.
class VisionWorker {
  public:
    struct Callbacks {
        /// Called on the worker's thread, in this order for each picture: detections, then its events. A
        /// leave may also come alone: when no picture could be analysed for a while, and at the end. Either
        /// may be empty.
        std::function<void(const Detections&)> detections;
        std::function<void(const FaceEvent&)> event;
        /// Called on the worker's thread when it changes: whether all pictures are wanted, since there is a
        /// face that is followed, or may be from the next picture on. At first it is not. May be empty.
        std::function<void(bool)> attention = {};
    };

    /// `clock` must outlive the worker.
    VisionWorker(std::string cameraId, std::unique_ptr<FaceDetector> detector, const Clock& clock,
                 Callbacks callbacks, TrackerSettings tracking = {}, SceneRules scene = {});
    ~VisionWorker();  ///< stops: live tracks leave, then the thread is joined; waits at most for one analysis
    VisionWorker(const VisionWorker&) = delete;
    VisionWorker& operator=(const VisionWorker&) = delete;

    /// Looks on with another detector and by other rules: live tracks leave first, ids and counters go on.
    /// Waits at most for one analysis. Meanwhile others may put pictures in, and nothing else.
    void replace(std::unique_ptr<FaceDetector> detector, const TrackerSettings& tracking);

    /// Tracks by other rules from the next picture on, for pictures that come at another rate. Does not wait;
    /// the last call counts.
    void retune(const TrackerSettings& tracking);
    /// The same for what is told of where.
    void retune(SceneRules scene);

    /// Where pictures for this worker are put.
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

  private:
    void stop();
    void run();
    void takeNewRules();
    void look(const Picture& picture);
    void report(const Picture& picture, std::vector<Face> faces);
    void endTracks();
    void attend();
    void complain(const Error& error);
    void tell(const std::vector<FaceEvent>& events) const;

    const std::string cameraId_;
    std::unique_ptr<FaceDetector> detector_;
    const Clock& clock_;
    const Callbacks callbacks_;

    // Of the worker's thread alone.
    Microseconds patience_;  ///< without an analysed picture, until live tracks leave
    FaceTracker tracker_;
    bool attentive_ = false;
    MotionGate gate_;
    SceneRules scene_;
    FaceEvents events_;
    LogThrottle complaints_;
    Monotonic lastAnalysis_{};

    std::mutex newRulesMutex_;
    std::optional<TrackerSettings> newRules_;
    std::optional<SceneRules> newScene_;
    std::atomic<std::int64_t> processorUs_{0};

    Mailbox<Picture> pictures_;
    std::atomic<std::uint64_t> analysed_{0};
    std::atomic<std::uint64_t> still_{0};
    std::atomic<std::uint64_t> failed_{0};
    std::atomic<std::int64_t> lastDurationUs_{0};
    std::thread thread_;  // last: it uses all the others
};

}  // namespace edgecam::vision
