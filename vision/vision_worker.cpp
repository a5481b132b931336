#include "vision/vision_worker.hpp"

#include <pthread.h>

#include <ctime>
#include <utility>

#include "base/heartbeat.hpp"
#include "vision/face_quality.hpp"

namespace edgecam::vision {

namespace {
// How often the thread looks up from an empty mailbox to see whether its tracks are still worth keeping.
constexpr auto kLookUp = std::chrono::milliseconds(500);

/// Of the calling thread: what it worked, not what it waited.
Microseconds processorTime() {
    timespec used{};
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &used);
    return std::chrono::seconds(used.tv_sec) + Microseconds(used.tv_nsec / 1000);
}
}  // namespace

VisionWorker::VisionWorker(std::string cameraId, std::unique_ptr<FaceDetector> detector, const Clock& clock,
                           Callbacks callbacks, TrackerSettings tracking, SceneRules scene)
    : cameraId_(std::move(cameraId)),
      detector_(std::move(detector)),
      clock_(clock),
      callbacks_(std::move(callbacks)),
      patience_(tracking.longestGap),
      tracker_(tracking),
      scene_(std::move(scene)),
      events_(cameraId_, scene_),
      thread_([this] { run(); }) {}

VisionWorker::~VisionWorker() {
    stop();
}

void VisionWorker::stop() {
    pictures_.close();
    thread_.join();
}

void VisionWorker::replace(std::unique_ptr<FaceDetector> detector, const TrackerSettings& tracking) {
    stop();
    detector_ = std::move(detector);
    retune(tracking);
    pictures_.reopen();
    thread_ = std::thread([this] { run(); });
}

void VisionWorker::retune(const TrackerSettings& tracking) {
    const std::lock_guard lock(newRulesMutex_);
    newRules_ = tracking;
}

void VisionWorker::retune(SceneRules scene) {
    const std::lock_guard lock(newRulesMutex_);
    newScene_ = std::move(scene);
}

void VisionWorker::takeNewRules() {
    const std::lock_guard lock(newRulesMutex_);
    if (newRules_) {
        patience_ = newRules_->longestGap;
        tracker_.retune(*newRules_);
        newRules_.reset();
    }
    if (newScene_) {
        scene_ = *std::move(newScene_);
        events_.retune(scene_);
        newScene_.reset();
    }
}

VisionWorker::Figures VisionWorker::figures() const {
    return {analysed_, pictures_.replaced(),          still_,
            failed_,   Microseconds(lastDurationUs_), Microseconds(processorUs_)};
}

void VisionWorker::run() {
    pthread_setname_np(pthread_self(), "vision");
    lastAnalysis_ = clock_.monotonic();
    Heartbeat heart(concat("vision of ", cameraId_));
    while (!pictures_.closed()) {
        heart.beat();
        const auto picture = pictures_.takeWithin(kLookUp);
        takeNewRules();
        if (picture) look(*picture);
        if (clock_.monotonic() - lastAnalysis_ > patience_) endTracks();
        attend();
    }
    endTracks();
    attend();
}

void VisionWorker::attend() {
    const bool attentive = !tracker_.empty();
    if (attentive == std::exchange(attentive_, attentive) || !callbacks_.attention) return;
    callbacks_.attention(attentive);
}

void VisionWorker::look(const Picture& picture) {
    const Monotonic begin = clock_.monotonic();
    const Microseconds workedBefore = processorTime();
    if (tracker_.empty() && !gate_.opens(picture)) {
        ++still_;
        processorUs_ += (processorTime() - workedBefore).count();
        return;
    }
    auto faces = detector_->detect(picture);
    processorUs_ += (processorTime() - workedBefore).count();
    const Monotonic end = clock_.monotonic();
    lastDurationUs_ = (end - begin).count();
    if (!faces) {
        ++failed_;
        complain(faces.error());
        return;
    }
    ++analysed_;
    gate_.looked(picture);
    lastAnalysis_ = end;
    report(picture, *std::move(faces));
}

void VisionWorker::report(const Picture& picture, std::vector<Face> faces) {
    const FrameRef frame{picture.sequence, picture.captureTime, picture.size};
    auto outcome = tracker_.follow(scene_.counted(std::move(faces), picture.size), picture.captureTime);
    std::vector<Sighting> seen;
    for (const auto& [trackId, face] : outcome.seen) {
        seen.push_back({trackId, face, faceQuality(picture, face)});
    }
    const auto events = events_.tell(frame, seen, outcome.ended);
    if (callbacks_.detections) callbacks_.detections({cameraId_, frame, std::move(outcome.seen)});
    tell(events);
}

void VisionWorker::endTracks() {
    tell(events_.leave(tracker_.endAll()));
}

void VisionWorker::complain(const Error& error) {
    const auto verdict = complaints_.ask(clock_.monotonic());
    if (!verdict.write) return;
    const std::string more =
        verdict.keptBack > 0 ? concat(" (", verdict.keptBack, " more like it since the last such line)") : "";
    logWarning("vision", cameraId_, ": a picture was not analysed: ", error.message, more);
}

void VisionWorker::tell(const std::vector<FaceEvent>& events) const {
    if (!callbacks_.event) return;
    for (const FaceEvent& event : events) callbacks_.event(event);
}

}  // namespace edgecam::vision
