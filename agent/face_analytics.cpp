#include "agent/face_analytics.hpp"

#include <algorithm>

namespace edgecam::agent {
namespace {

std::int64_t secondOf(Monotonic time) {
    return std::chrono::floor<std::chrono::seconds>(time.time_since_epoch()).count();
}

}  // namespace

void LastMinute::add(Monotonic now) {
    const std::int64_t number = secondOf(now);
    Second& second = seconds_[static_cast<std::size_t>(number) % kSeconds];
    if (second.number != number) second = {.number = number, .count = 0};
    ++second.count;
}

std::uint64_t LastMinute::count(Monotonic now) const {
    const std::int64_t oldest = secondOf(now) - static_cast<std::int64_t>(kSeconds) + 1;
    std::uint64_t total = 0;
    for (const Second& second : seconds_) {
        if (second.number >= oldest && second.number >= 0) total += second.count;
    }
    return total;
}

void FaceAnalytics::Place::enter(Monotonic now) {
    ++figures.present;
    ++figures.entered;
    came.add(now);
}

void FaceAnalytics::Place::leave(Microseconds stayed) {
    --figures.present;
    ++figures.left;
    figures.dwell.add(stayed);
}

Microseconds FaceAnalytics::Since::until(Utc end, Monotonic now) const {
    return std::min(end - told, now - heard);
}

void FaceAnalytics::count(const FaceEvent& event, Monotonic now) {
    const std::lock_guard lock(mutex_);
    Camera& camera = cameras_[event.cameraId];
    const Presence fresh{.since = {event.firstSeen, now}, .zones = {}};
    if (event.phase == FacePhase::enter && camera.present.try_emplace(event.trackId, fresh).second) {
        camera.whole.enter(now);
    }
    const auto found = camera.present.find(event.trackId);
    if (found == camera.present.end()) return;
    move(camera, found->second, event, now);
    if (event.phase != FacePhase::leave) return;
    camera.whole.leave(found->second.since.until(event.lastSeen, now));
    camera.present.erase(found);
}

// One event may tell of a zone that was left and come into again, or the other way round: where the face was
// says which it was.
void FaceAnalytics::move(Camera& camera, Presence& presence, const FaceEvent& event, Monotonic now) {
    auto& where = presence.zones;
    const auto leave = [&](const std::string& name) {
        const auto since = where.extract(name);
        if (since) camera.zones[name].leave(since.mapped().until(event.timestamp, now));
        return static_cast<bool>(since);
    };
    std::vector<std::string> cameAndLeft;
    for (const std::string& name : event.zonesLeft) {
        if (!leave(name)) cameAndLeft.push_back(name);
    }
    for (const std::string& name : event.zonesEntered) {
        if (where.try_emplace(name, Since{event.timestamp, now}).second) camera.zones[name].enter(now);
    }
    for (const std::string& name : cameAndLeft) leave(name);
}

void FaceAnalytics::addTo(uplink::CameraFigures& figures, const std::string& cameraId,
                          const std::vector<std::string>& zones, Monotonic now) {
    const std::lock_guard lock(mutex_);
    Camera& camera = cameras_[cameraId];
    const auto figuresOf = [now](const Place& place) {
        uplink::FaceFigures of = place.figures;
        of.lastMinute = place.came.count(now);
        return of;
    };
    figures.faces = figuresOf(camera.whole);
    std::erase_if(camera.zones, [&](const auto& zone) {
        return std::ranges::find(zones, zone.first) == zones.end() && zone.second.figures.present == 0;
    });
    for (const std::string& name : zones) figures.zones[name] = figuresOf(camera.zones[name]);
}

void FaceAnalytics::end(const std::string& cameraId) {
    const std::lock_guard lock(mutex_);
    cameras_.erase(cameraId);
}

}  // namespace edgecam::agent
