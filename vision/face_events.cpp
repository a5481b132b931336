#include "vision/face_events.hpp"

#include <glib.h>

#include <algorithm>
#include <memory>

#include "vision/face_quality.hpp"

namespace edgecam::vision {

namespace {

constexpr Microseconds kUpdateInterval = std::chrono::seconds(1);

std::string newEventId() {
    const std::unique_ptr<char, decltype(&g_free)> uuid(g_uuid_string_random(), g_free);
    return uuid.get();
}

/// Those of `some` that are not in `others`.
std::vector<std::string> without(const std::vector<std::string>& some,
                                 const std::vector<std::string>& others) {
    std::vector<std::string> rest;
    std::ranges::copy_if(some, std::back_inserter(rest), [&](const std::string& name) {
        return std::ranges::find(others, name) == others.end();
    });
    return rest;
}

/// A clock that was set back counts as no time.
PathPoint pointOf(const RectNorm& box, Microseconds since) {
    return {{box.x + box.width / 2, box.y + box.height / 2}, std::max(since, Microseconds(0))};
}

}  // namespace

std::vector<FaceEvent> FaceEvents::tell(const FrameRef& frame, const std::vector<Sighting>& seen,
                                        const std::vector<std::uint64_t>& ended) {
    std::vector<FaceEvent> events = leave(ended);
    const Utc now = frame.captureTime;
    for (const Sighting& sighting : seen) {
        const auto [entry, isNew] = present_.try_emplace(sighting.trackId);
        Presence& presence = entry->second;
        if (isNew) begin(presence, frame, sighting);
        take(presence, frame, sighting);
        // Both ways: a clock that was set back must not silence a face until it has caught up.
        const bool due = std::chrono::abs(now - presence.lastTold) >= kUpdateInterval;
        if (isNew) {
            events.push_back(tellOf(FacePhase::enter, sighting.trackId, presence));
        } else if (due && worthTelling(presence)) {
            events.push_back(tellOf(FacePhase::update, sighting.trackId, presence));
        }
    }
    return events;
}

std::vector<FaceEvent> FaceEvents::leave(const std::vector<std::uint64_t>& ended) {
    std::vector<FaceEvent> events;
    for (const std::uint64_t trackId : ended) {
        auto gone = present_.extract(trackId);
        if (gone) events.push_back(tellOf(FacePhase::leave, trackId, gone.mapped()));
    }
    return events;
}

void FaceEvents::begin(Presence& presence, const FrameRef& frame, const Sighting& sighting) const {
    presence.firstSeen = frame.captureTime;
    presence.zones = presence.zonesSeen = presence.entered = rules_.zonesOf(sighting.face.box);
}

void FaceEvents::take(Presence& presence, const FrameRef& frame, const Sighting& sighting) const {
    presence.face = sighting.face;
    presence.frame = frame;
    presence.quality = sighting.quality;
    presence.path.add(pointOf(sighting.face.box, frame.captureTime - presence.firstSeen));
    if (sighting.quality >= presence.best.quality) {
        presence.best = {sighting.quality, frame, sighting.face.box};
    }
    move(presence, rules_.zonesOf(sighting.face.box));
}

void FaceEvents::move(Presence& presence, std::vector<std::string> zones) {
    const bool stays = zones == presence.zonesSeen;
    presence.zonesSeen = std::move(zones);
    if (!stays || presence.zonesSeen == presence.zones) return;
    std::ranges::copy(without(presence.zonesSeen, presence.zones), std::back_inserter(presence.entered));
    std::ranges::copy(without(presence.zones, presence.zonesSeen), std::back_inserter(presence.left));
    presence.zones = presence.zonesSeen;
}

bool FaceEvents::worthTelling(const Presence& presence) {
    return !presence.entered.empty() || !presence.left.empty() ||
           presence.best.quality >= presence.bestTold + kClearlyBetter;
}

FaceEvent FaceEvents::tellOf(FacePhase phase, std::uint64_t trackId, Presence& presence) const {
    FaceEvent event;
    event.eventId = newEventId();
    event.cameraId = cameraId_;
    event.phase = phase;
    event.trackId = trackId;
    event.timestamp = presence.frame.captureTime;
    event.firstSeen = presence.firstSeen;
    event.lastSeen = presence.frame.captureTime;
    event.face = presence.face;
    event.frame = presence.frame;
    event.quality = presence.quality;
    event.zones = presence.zones;
    event.zonesEntered = std::exchange(presence.entered, {});
    event.zonesLeft = std::exchange(presence.left, {});
    if (phase != FacePhase::enter) event.best = presence.best;
    if (phase == FacePhase::leave) {
        std::ranges::copy(presence.zones, std::back_inserter(event.zonesLeft));
        event.path = presence.path.points();
    }
    presence.lastTold = presence.frame.captureTime;
    presence.bestTold = presence.best.quality;
    return event;
}

}  // namespace edgecam::vision
