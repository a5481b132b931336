#include "uplink/subscription.hpp"

#include <algorithm>

#include "base/log.hpp"
#include "uplink/command.hpp"

namespace edgecam::uplink {
namespace {

/// A peer that never hears a leave (its filter wants other phases) must not make us remember for ever.
constexpr std::size_t kMaxTracksRemembered = 1024;
constexpr std::size_t kMaxNameLength = 32;

bool isName(std::string_view word) {
    return !word.empty() && word.size() <= kMaxNameLength &&
           std::ranges::all_of(word, [](char c) { return (c >= 'a' && c <= 'z') || c == '_'; });
}

bool topicMatches(std::string_view topic, std::string_view cameraId, std::string_view name) {
    if (cameraId.empty()) return topic == name;
    const auto slash = topic.find('/');
    if (slash == std::string_view::npos || topic.substr(slash + 1) != name) return false;
    const auto camera = topic.substr(0, slash);
    return camera == "*" || camera == cameraId;
}

}  // namespace

bool FaceFilter::wantsFace(const FaceEvent& event) const {
    const float widthPx = event.face.box.width * static_cast<float>(event.frame.size.width);
    return event.face.confidence >= minConfidence && widthPx >= static_cast<float>(minFacePx);
}

bool FaceFilter::wantsPlace(const FaceEvent& event) const {
    const auto wanted = [&](const std::string& name) {
        return std::ranges::find(zones, name) != zones.end();
    };
    return zones.empty() || std::ranges::any_of(event.zones, wanted) ||
           std::ranges::any_of(event.zonesEntered, wanted);
}

bool FaceFilter::wantsPhase(FacePhase phase) const {
    return phases.empty() || std::ranges::find(phases, phase) != phases.end();
}

Subscription Subscription::afterAuth() {
    Subscription initial;
    for (const char* topic : {"*/face_detected", "*/stream_status", "*/error", "system"}) {
        initial.entries_.emplace(topic, TopicEntry{});
    }
    return initial;
}

std::optional<std::string_view> Subscription::cameraOf(std::string_view topic) {
    if (topic == "system") return std::string_view();
    const auto slash = topic.find('/');
    if (slash == std::string_view::npos || !isName(topic.substr(slash + 1))) return std::nullopt;
    const auto camera = topic.substr(0, slash);
    if (camera == "*" || isCameraId(camera)) return camera;
    return std::nullopt;
}

Result<void> Subscription::add(const std::string& topic, const TopicEntry& entry) {
    if (!cameraOf(topic)) return Error{"'" + topic + "' is neither CAMERA/TOPIC nor system"};
    if (!entries_.contains(topic) && entries_.size() >= kMaxEntries) {
        return Error{"more than " + std::to_string(kMaxEntries) + " topics"};
    }
    entries_[topic] = entry;
    verdicts_.erase(topic);
    nextDue_.clear();
    return {};
}

void Subscription::remove(const std::string& topic) {
    entries_.erase(topic);
    verdicts_.erase(topic);
}

bool Subscription::wants(std::string_view cameraId, std::string_view name) const {
    return std::ranges::any_of(entries_,
                               [&](const auto& item) { return topicMatches(item.first, cameraId, name); });
}

std::vector<const TopicEntry*> Subscription::matching(std::string_view cameraId,
                                                      std::string_view name) const {
    std::vector<const TopicEntry*> found;
    for (const auto& [topic, entry] : entries_) {
        if (topicMatches(topic, cameraId, name)) found.push_back(&entry);
    }
    return found;
}

Microseconds Subscription::patience(std::string_view cameraId, std::string_view name) const {
    const auto entries = matching(cameraId, name);
    const auto least =
        std::ranges::min_element(entries, {}, [](const TopicEntry* entry) { return entry->batch; });
    return least == entries.end() ? Microseconds(0) : (*least)->batch;
}

std::optional<SnapshotWish> Subscription::admits(const FaceEvent& event) {
    std::optional<SnapshotWish> wanted;
    for (const auto& [topic, entry] : entries_) {
        if (!topicMatches(topic, event.cameraId, "face_detected")) continue;
        const bool chosen = decide(topic, entry.filter, event);  // every entry keeps its own books
        if (!chosen || !entry.filter.wantsPhase(event.phase)) continue;
        wanted = std::max(wanted.value_or(SnapshotWish::none), entry.snapshots);
    }
    return wanted;
}

bool Subscription::decide(const std::string& topic, const FaceFilter& filter, const FaceEvent& event) {
    if (filter.minConfidence <= 0 && filter.minFacePx <= 0 && filter.zones.empty()) return true;
    std::map<Track, Verdict>& verdicts = verdicts_[topic];
    const Track track{event.cameraId, event.trackId};
    if (event.phase == FacePhase::enter) verdicts.erase(track);
    if (verdicts.size() >= kMaxTracksRemembered) verdicts.clear();
    Verdict& verdict = verdicts.try_emplace(track, Verdict{.face = filter.wantsFace(event)}).first->second;
    verdict.place = verdict.place || filter.wantsPlace(event);
    const bool chosen = verdict.face && verdict.place;
    if (event.phase == FacePhase::leave) verdicts.erase(track);
    return chosen;
}

bool Subscription::admits(const Detections& detections, Monotonic now) {
    return isDue(detections.cameraId, "detections", now);
}

bool Subscription::admitsFigures(std::string_view cameraId, std::string_view topic, Monotonic now) {
    return isDue(cameraId, topic, now);
}

bool Subscription::isDue(std::string_view cameraId, std::string_view name, Monotonic now) {
    const auto entries = matching(cameraId, name);
    if (entries.empty()) return false;
    double rate = 0;
    for (const TopicEntry* entry : entries) {
        if (!entry->rateHz) return true;
        rate = std::max(rate, *entry->rateHz);
    }
    const auto interval = std::chrono::duration_cast<Microseconds>(std::chrono::duration<double>(1 / rate));
    const auto due = nextDue_.try_emplace(concat(cameraId, "/", name), now).first;
    if (now < due->second) return false;
    // From the time it was due, not from now: else 10 a second thinned to 3 would become 2.5.
    due->second = std::max(due->second + interval, now);
    return true;
}

}  // namespace edgecam::uplink
