// VisionThread: the one thread that looks, with the one detector, for all cameras in turn. It knows who is
// next and when to sleep; what is seen is each camera's own (CameraVision).
#pragma once

#include <condition_variable>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>

#include "base/clock.hpp"
#include "vision/camera_vision.hpp"
#include "vision/face_detector.hpp"
#include "vision/turns.hpp"

namespace edgecam::vision {

/// Thread-safe. All cameras together get at most one core. Where they want more, each one's mailbox skips,
/// and the thread takes the newest picture of the camera that it looked through the longest ago (Turns).
/// Until its owner has noticed and told cameras and trackers of a rate that can be had, theirs is higher than
/// the real one, which changes next to nothing down to a picture a second.
class VisionThread {
  public:
    /// Takes a camera away from the thread: waits while its own picture is being looked through, so at most
    /// for one analysis. Then its live tracks leave, told on the calling thread.
    struct Leave {
        VisionThread* thread = nullptr;
        void operator()(CameraVision* camera) const;
    };
    /// A camera that is looked through until this lets go of it.
    using Place = std::unique_ptr<CameraVision, Leave>;

    /// `detector`: may be nullptr, see replace(). `clock` must outlive the thread.
    VisionThread(std::unique_ptr<FaceDetector> detector, const Clock& clock);
    ~VisionThread();  ///< waits at most for one analysis; all cameras have left before
    VisionThread(const VisionThread&) = delete;
    VisionThread& operator=(const VisionThread&) = delete;

    /// Looks through one more camera, from now on. Does not wait for an analysis.
    [[nodiscard]] Place add(std::string cameraId, CameraVision::Callbacks callbacks,
                            const TrackerSettings& tracking = {}, SceneRules scene = {});

    /// Looks on with another detector from the next picture on: the live tracks of all cameras leave first,
    /// ids and counters go on. nullptr: pictures are let go of unseen. Does not wait; the last call counts.
    void replace(std::unique_ptr<FaceDetector> detector);
    /// Fits pictures into another size from the next one on, see FaceDetector::fitInto(). Those who are
    /// followed are followed on. Does not wait; the last call counts, up to a replace().
    void fitInto(Size size);

  private:
    void leave(CameraVision& camera);
    void wake();
    void run();
    void takeNewDetector(std::unique_lock<std::mutex>& lock);

    const Clock& clock_;
    std::unique_ptr<FaceDetector> detector_;  ///< of the thread alone, once that runs

    std::mutex mutex_;  ///< never held while somebody looks or is told
    std::condition_variable news_;
    std::condition_variable turnEnded_;
    Turns<CameraVision> turns_;
    const CameraVision* serving_ = nullptr;
    std::optional<std::unique_ptr<FaceDetector>> newDetector_;
    std::optional<Size> newSize_;
    bool ending_ = false;
    std::thread thread_;  // last: it uses all the others
};

}  // namespace edgecam::vision
