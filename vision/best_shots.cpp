#include "vision/best_shots.hpp"

#include <utility>

#include "vision/face_quality.hpp"

namespace edgecam::vision {

void BestShots::see(const Picture& picture, const std::vector<Sighting>& seen) {
    if (mostBytes_ == 0) return;
    for (const Sighting& sighting : seen) {
        const auto known = shots_.find(sighting.trackId);
        if (known != shots_.end() && sighting.quality < known->second.quality) continue;
        auto crop = cropOf(picture, sighting.face.box);
        if (!crop) continue;  // the detector, which was given the same picture, has complained
        Shot& shot = shots_[sighting.trackId];
        shot.quality = sighting.quality;
        shot.crop = *std::move(crop);
        shot.snapshot.reset();
    }
}

void BestShots::addTo(std::vector<FaceEvent>& events) {
    for (FaceEvent& event : events) {
        const auto found = shots_.find(event.trackId);
        if (found == shots_.end()) continue;
        Shot& shot = found->second;
        const bool worthIt = event.phase != FacePhase::update || shot.quality >= shot.told + kClearlyBetter;
        if (worthIt) {
            event.snapshot = snapshotOf(shot);
            shot.told = shot.quality;
        }
        if (event.phase == FacePhase::leave) shots_.erase(found);
    }
}

const std::optional<Snapshot>& BestShots::snapshotOf(Shot& shot) {
    if (!shot.snapshot && mostBytes_ > 0) {
        if (auto made = encoder_.encode(shot.crop, mostBytes_)) shot.snapshot = *std::move(made);
    }
    return shot.snapshot;
}

}  // namespace edgecam::vision
