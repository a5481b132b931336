#include "vision/face_tracker.hpp"

#include <algorithm>
#include <utility>

namespace edgecam::vision {

namespace {

// Gains of the alpha-beta filter: how much of a surprise goes into the place, and into the speed. A
// detector's box is good to a few percent, a head's speed changes slowly.
constexpr float kPlaceGain = 0.8F;
constexpr float kSpeedGain = 0.6F;
constexpr float kSmallestSide = 1e-4F;
constexpr double kManyPicturesPerSecond = 20;

float secondsOf(Microseconds time) {
    return std::chrono::duration<float>(time).count();
}

}  // namespace

TrackerSettings trackerSettings(float minConfidence, double picturesPerSecond) {
    TrackerSettings settings;
    settings.confident = minConfidence;
    settings.birth = std::min(minConfidence + 0.1F, std::max(minConfidence, 0.9F));
    settings.weak = minConfidence / 2;
    // What is a face for a moment is one for about as long at any rate: a blurred hand, say.
    if (picturesPerSecond > kManyPicturesPerSecond) settings.hitsToConfirm = 3;
    const auto interval = std::chrono::duration_cast<Microseconds>(
        std::chrono::duration<double>(1 / std::max(picturesPerSecond, 0.01)));
    settings.forgetAfter = std::max(settings.forgetAfter, interval * 3 / 2);
    settings.longestGap = std::max(settings.longestGap, interval * 5 / 2);
    return settings;
}

FaceTracker::Outcome FaceTracker::follow(const std::vector<Face>& faces, Utc captureTime) {
    Outcome outcome;
    const Microseconds step = stepTo(captureTime);
    if (step > settings_.longestGap) outcome.ended = endAll();
    expect(step);

    Candidates confident;
    Candidates weak;
    for (const Face& face : faces) {
        if (face.confidence >= settings_.confident) {
            confident.push_back(&face);
        } else if (face.confidence >= settings_.weak) {
            weak.push_back(&face);
        }
    }
    match(confident, false);
    match(weak, true);
    settle(outcome);
    start(confident);
    return outcome;
}

std::vector<std::uint64_t> FaceTracker::endAll() {
    std::vector<std::uint64_t> ended;
    for (const Track& track : std::exchange(tracks_, {})) {
        if (track.id != 0) ended.push_back(track.id);
    }
    return ended;
}

Microseconds FaceTracker::stepTo(Utc captureTime) {
    const Utc last = lastPicture_.value_or(captureTime);
    lastPicture_ = captureTime;
    return std::max(captureTime - last, Microseconds(0));
}

void FaceTracker::expect(Microseconds step) {
    const float seconds = secondsOf(step);
    for (Track& track : tracks_) {
        track.place.x += track.speed.x * seconds;
        track.place.y += track.speed.y * seconds;
        // A head that is being hidden shrinks for a moment, and is as large as before when it comes out.
        if (track.unseen == Microseconds(0)) {
            track.place.width = std::max(track.place.width + track.speed.width * seconds, kSmallestSide);
            track.place.height = std::max(track.place.height + track.speed.height * seconds, kSmallestSide);
        }
        track.unseen += step;
        track.match = nullptr;
    }
}

/// Pairs faces with tracks, the best overlap first; a face that found its track is taken out of `faces`.
void FaceTracker::match(Candidates& faces, bool onlyLive) {
    struct Pair {
        float overlap;
        Track* track;
        const Face* face;
    };
    std::vector<Pair> pairs;
    for (Track& track : tracks_) {
        if (track.match != nullptr || (onlyLive && track.id == 0)) continue;
        for (const Face* face : faces) {
            const float overlap = intersectionOverUnion(boxOf(track.place), face->box);
            if (overlap >= settings_.minOverlap) pairs.push_back({overlap, &track, face});
        }
    }
    std::stable_sort(pairs.begin(), pairs.end(),
                     [](const Pair& a, const Pair& b) { return a.overlap > b.overlap; });
    for (const Pair& pair : pairs) {
        const auto face = std::find(faces.begin(), faces.end(), pair.face);
        if (pair.track->match != nullptr || face == faces.end()) continue;
        pair.track->match = pair.face;
        faces.erase(face);
    }
}

/// Takes over what was matched, reports the live, and drops whoever has been unseen for too long. A track
/// that is not live yet must not miss a picture.
void FaceTracker::settle(Outcome& outcome) {
    for (Track& track : tracks_) {
        if (track.match == nullptr) continue;
        correct(track, motionOf(track.match->box));
        if (++track.hits >= settings_.hitsToConfirm && track.id == 0) track.id = ++lastId_;
        if (track.id != 0) outcome.seen.push_back({track.id, *track.match});
    }
    std::erase_if(tracks_, [&](const Track& track) {
        const bool live = track.id != 0;
        const bool over = track.match == nullptr && (!live || track.unseen >= settings_.forgetAfter);
        if (over && live) outcome.ended.push_back(track.id);
        return over;
    });
}

void FaceTracker::start(const Candidates& faces) {
    for (const Face* face : faces) {
        if (face->confidence < settings_.birth) continue;
        Track track;
        track.place = motionOf(face->box);
        track.hits = 1;
        tracks_.push_back(track);
    }
}

/// One step of an alpha-beta filter (the g-h filter of Benedict and Bordner, 1962) in each of four
/// coordinates.
void FaceTracker::correct(Track& track, const Motion& seen) {
    const float seconds = secondsOf(track.unseen);
    // With the second sight there is a first guess of the speed: nothing to be careful about yet.
    const float speedGain = track.hits == 1 ? 1.0F : kSpeedGain;
    const auto one = [&](float& place, float& speed, float measured) {
        const float surprise = measured - place;
        place += kPlaceGain * surprise;
        if (seconds > 0) speed += speedGain * surprise / seconds;
    };
    one(track.place.x, track.speed.x, seen.x);
    one(track.place.y, track.speed.y, seen.y);
    one(track.place.width, track.speed.width, seen.width);
    one(track.place.height, track.speed.height, seen.height);
    track.unseen = Microseconds(0);
}

FaceTracker::Motion FaceTracker::motionOf(const RectNorm& box) {
    return {box.x + box.width / 2, box.y + box.height / 2, box.width, box.height};
}

RectNorm FaceTracker::boxOf(const Motion& place) {
    return {place.x - place.width / 2, place.y - place.height / 2, place.width, place.height};
}

}  // namespace edgecam::vision
