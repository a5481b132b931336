#include "vision/face_events.hpp"

#include <glib.h>

#include <memory>

namespace edgecam::vision {

namespace {

constexpr Microseconds kUpdateInterval = std::chrono::seconds(1);

std::string newEventId() {
    const std::unique_ptr<char, decltype(&g_free)> uuid(g_uuid_string_random(), g_free);
    return uuid.get();
}

}  // namespace

std::vector<FaceEvent> FaceEvents::tell(const FrameRef& frame, const std::vector<TrackedFace>& seen,
                                        const std::vector<std::uint64_t>& ended) {
    std::vector<FaceEvent> events = leave(ended);
    const Utc now = frame.captureTime;
    for (const auto& [trackId, face] : seen) {
        const auto [entry, isNew] = present_.try_emplace(trackId, Presence{face, frame, now, now});
        Presence& presence = entry->second;
        presence.face = face;
        presence.frame = frame;
        // Both ways: a clock that was set back must not silence a face until it has caught up.
        const bool due = std::chrono::abs(now - presence.lastTold) >= kUpdateInterval;
        if (!isNew && !due) continue;
        presence.lastTold = now;
        events.push_back(eventOf(isNew ? FacePhase::enter : FacePhase::update, trackId, presence));
    }
    return events;
}

std::vector<FaceEvent> FaceEvents::leave(const std::vector<std::uint64_t>& ended) {
    std::vector<FaceEvent> events;
    for (const std::uint64_t trackId : ended) {
        const auto gone = present_.extract(trackId);
        if (gone) events.push_back(eventOf(FacePhase::leave, trackId, gone.mapped()));
    }
    return events;
}

FaceEvent FaceEvents::eventOf(FacePhase phase, std::uint64_t trackId, const Presence& presence) const {
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
    return event;
}

}  // namespace edgecam::vision
