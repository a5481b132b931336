#include "vision/camera_vision.hpp"

#include <ctime>
#include <utility>

#include "vision/face_quality.hpp"

namespace edgecam::vision {

namespace {
/// Of the calling thread: what it worked, not what it waited.
Microseconds processorTime() {
    timespec used{};
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &used);
    return std::chrono::seconds(used.tv_sec) + Microseconds(used.tv_nsec / 1000);
}
}  // namespace

CameraVision::CameraVision(std::string cameraId, const Clock& clock, Callbacks callbacks,
                           const TrackerSettings& tracking, SceneRules scene,
                           std::function<void()> newPicture)
    : cameraId_(std::move(cameraId)),
      clock_(clock),
      callbacks_(std::move(callbacks)),
      patience_(tracking.longestGap),
      tracker_(tracking),
      scene_(std::move(scene)),
      events_(cameraId_, scene_),
      lastAnalysis_(clock.monotonic()),
      pictures_(std::move(newPicture)) {}

void CameraVision::retune(const TrackerSettings& tracking) {
    const std::lock_guard lock(newRulesMutex_);
    newRules_ = tracking;
}

void CameraVision::retune(SceneRules scene) {
    const std::lock_guard lock(newRulesMutex_);
    newScene_ = std::move(scene);
}

void CameraVision::takeNewRules() {
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

CameraVision::Figures CameraVision::figures() const {
    return {analysed_, pictures_.replaced(),          still_,
            failed_,   Microseconds(lastDurationUs_), Microseconds(processorUs_)};
}

bool CameraVision::outOfPatience(Monotonic now) const {
    return !tracker_.empty() && now - lastAnalysis_ > patience_;
}

bool CameraVision::wantsTurn(Monotonic now) const {
    return startsOver_ || pictures_.full() || outOfPatience(now);
}

void CameraVision::turn(FaceDetector* detector) {
    if (startsOver_) endTracks();
    startsOver_ = false;
    const auto picture = pictures_.take();
    takeNewRules();
    bestShots_.limit(snapshotBytes_);
    if (picture && detector) look(*picture, *detector);
    if (outOfPatience(clock_.monotonic())) endTracks();
    attend();
}

void CameraVision::end() {
    endTracks();
    attend();
}

void CameraVision::attend() {
    const bool attentive = !tracker_.empty();
    if (attentive == std::exchange(attentive_, attentive) || !callbacks_.attention) return;
    callbacks_.attention(attentive);
}

void CameraVision::startOver() {
    startsOver_ = true;
}

void CameraVision::look(const Picture& picture, FaceDetector& detector) {
    const Monotonic begin = clock_.monotonic();
    const Microseconds workedBefore = processorTime();
    if (tracker_.empty() && !gate_.opens(picture)) {
        ++still_;
        processorUs_ += (processorTime() - workedBefore).count();
        return;
    }
    auto faces = detector.detect(picture);
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

void CameraVision::report(const Picture& picture, std::vector<Face> faces) {
    const FrameRef frame{picture.sequence, picture.captureTime, picture.size};
    auto outcome = tracker_.follow(scene_.counted(std::move(faces), picture.size), picture.captureTime);
    std::vector<Sighting> seen;
    for (const auto& [trackId, face] : outcome.seen) {
        seen.push_back({trackId, face, faceQuality(picture, face)});
    }
    bestShots_.see(picture, seen);
    auto events = events_.tell(frame, seen, outcome.ended);
    bestShots_.addTo(events);
    if (callbacks_.detections) callbacks_.detections({cameraId_, frame, std::move(outcome.seen)});
    tell(events);
}

void CameraVision::endTracks() {
    auto events = events_.leave(tracker_.endAll());
    bestShots_.addTo(events);
    tell(events);
}

void CameraVision::complain(const Error& error) {
    const auto verdict = complaints_.ask(clock_.monotonic());
    if (!verdict.write) return;
    const std::string more =
        verdict.keptBack > 0 ? concat(" (", verdict.keptBack, " more like it since the last such line)") : "";
    logWarning("vision", cameraId_, ": a picture was not analysed: ", error.message, more);
}

void CameraVision::tell(const std::vector<FaceEvent>& events) const {
    if (!callbacks_.event) return;
    for (const FaceEvent& event : events) callbacks_.event(event);
}

}  // namespace edgecam::vision
