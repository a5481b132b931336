#include "vision/vision_thread.hpp"

#include <pthread.h>

#include <utility>

#include "base/heartbeat.hpp"

namespace edgecam::vision {

namespace {
// How often the thread looks up when there is no picture, to see whether tracks are still worth keeping; and
// the sign of life that it gives.
constexpr auto kLookUp = std::chrono::milliseconds(500);
}  // namespace

void VisionThread::Leave::operator()(CameraVision* camera) const {
    const std::unique_ptr<CameraVision> owned(camera);
    thread->leave(*camera);
    camera->end();
}

VisionThread::VisionThread(std::unique_ptr<FaceDetector> detector, const Clock& clock)
    : clock_(clock), detector_(std::move(detector)), thread_([this] { run(); }) {}

VisionThread::~VisionThread() {
    {
        const std::lock_guard lock(mutex_);
        ending_ = true;
    }
    news_.notify_one();
    thread_.join();
}

VisionThread::Place VisionThread::add(std::string cameraId, CameraVision::Callbacks callbacks,
                                      const TrackerSettings& tracking, SceneRules scene) {
    auto camera = std::make_unique<CameraVision>(std::move(cameraId), clock_, std::move(callbacks), tracking,
                                                 std::move(scene), [this] { wake(); });
    const std::lock_guard lock(mutex_);
    turns_.join(camera.get());
    return {camera.release(), Leave{this}};
}

void VisionThread::leave(CameraVision& camera) {
    std::unique_lock lock(mutex_);
    turns_.leave(&camera);
    turnEnded_.wait(lock, [&] { return serving_ != &camera; });
}

void VisionThread::replace(std::unique_ptr<FaceDetector> detector) {
    std::optional<std::unique_ptr<FaceDetector>> overtaken;  // a network is not freed under the lock
    {
        const std::lock_guard lock(mutex_);
        overtaken = std::exchange(newDetector_, std::optional(std::move(detector)));
        newSize_.reset();
    }
    news_.notify_one();
}

void VisionThread::fitInto(Size size) {
    const std::lock_guard lock(mutex_);
    newSize_ = size;
}

/// The lock is taken for the thread not to miss what came between its look at the mailboxes and its sleep.
void VisionThread::wake() {
    { const std::lock_guard lock(mutex_); }
    news_.notify_one();
}

void VisionThread::run() {
    pthread_setname_np(pthread_self(), "vision");
    Heartbeat heart("vision");
    std::unique_lock lock(mutex_);
    while (!ending_) {
        heart.beat();
        while (newDetector_) takeNewDetector(lock);  // the size is that of the last one
        if (newSize_ && detector_) detector_->fitInto(*newSize_);
        newSize_.reset();
        const Monotonic now = clock_.monotonic();
        CameraVision* camera = turns_.next([now](const CameraVision* each) { return each->wantsTurn(now); });
        if (!camera) {
            news_.wait_for(lock, kLookUp);
            continue;
        }
        serving_ = camera;
        lock.unlock();
        camera->turn(detector_.get());
        lock.lock();
        serving_ = nullptr;
        turnEnded_.notify_all();
    }
}

void VisionThread::takeNewDetector(std::unique_lock<std::mutex>& lock) {
    auto old = std::exchange(detector_, *std::exchange(newDetector_, std::nullopt));
    for (CameraVision* camera : turns_.line()) camera->startOver();
    lock.unlock();
    old.reset();
    lock.lock();
}

}  // namespace edgecam::vision
