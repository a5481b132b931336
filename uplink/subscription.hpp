// Subscription: which of the agent's messages a peer wants, by topic "CAMERA/NAME" or "system" with "*" for
// any camera, and the filter each entry carries. Pure.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/clock.hpp"
#include "base/face.hpp"
#include "base/result.hpp"

namespace edgecam::uplink {

struct FaceFilter {
    float minConfidence = 0;
    int minFacePx = 0;               ///< of the picture at capture, by width
    std::vector<FacePhase> phases;   ///< empty: all
    std::vector<std::string> zones;  ///< only faces that were in one of these; empty: all
    bool operator==(const FaceFilter&) const = default;
    /// Whether the face is one the filter is for; its phase does not matter here.
    [[nodiscard]] bool wantsFace(const FaceEvent& event) const;
    /// Whether it is in one of the zones, or came through one since the last event.
    [[nodiscard]] bool wantsPlace(const FaceEvent& event) const;
    [[nodiscard]] bool wantsPhase(FacePhase phase) const;
};

/// How the snapshots of face events are to come.
enum class SnapshotWish {
    none,
    transfer,  ///< each by itself, behind the event
    inlined,   ///< within the event where it is small enough, else as above
};

struct TopicEntry {
    FaceFilter filter;
    std::optional<double> rateHz;                 ///< thins `detections`, `metrics`, `analytics` only
    SnapshotWish snapshots = SnapshotWish::none;  ///< of `face_detected`
    Microseconds batch{0};  ///< events and detections may wait so long for others; 0: they go at once
    bool operator==(const TopicEntry&) const = default;
};

/// Keyed by the topic string: subscribing again replaces the entry. Not thread-safe.
class Subscription {
  public:
    static constexpr std::size_t kMaxEntries = 256;

    /// What a peer has after `auth`: */face_detected, */stream_status, */error, system.
    static Subscription afterAuth();
    /// The camera of a topic: an id, "*", or "" for "system". Nothing: malformed.
    static std::optional<std::string_view> cameraOf(std::string_view topic);

    /// A topic that is malformed, or one too many, is an error and changes nothing.
    Result<void> add(const std::string& topic, const TopicEntry& entry);
    void remove(const std::string& topic);

    /// `cameraId` is empty for "system".
    [[nodiscard]] bool wants(std::string_view cameraId, std::string_view name) const;
    /// All entries that match, for filters and rates.
    [[nodiscard]] std::vector<const TopicEntry*> matching(std::string_view cameraId,
                                                          std::string_view name) const;
    /// Whether an event is to go out, and how its snapshot, by what most is asked for of the entries that
    /// want it. Each entry decides once a track, at the first event of it that it sees, but waits for a face
    /// to come into one of its zones; a leave ends what is remembered of the track.
    [[nodiscard]] std::optional<SnapshotWish> admits(const FaceEvent& event);
    /// Whether these detections are to go out now, by the highest rate of the entries that match; counts them
    /// as sent if so.
    [[nodiscard]] bool admits(const Detections& detections, Monotonic now);

    /// How long such a message may wait to travel with others: as the most impatient entry that matches says.
    [[nodiscard]] Microseconds patience(std::string_view cameraId, std::string_view name) const;
    /// The same for what a camera's `metrics` or `analytics` tell.
    [[nodiscard]] bool admitsFigures(std::string_view cameraId, std::string_view topic, Monotonic now);

    [[nodiscard]] const std::map<std::string, TopicEntry>& entries() const { return entries_; }

  private:
    using Track = std::pair<std::string, std::uint64_t>;  ///< camera and track

    bool isDue(std::string_view cameraId, std::string_view name, Monotonic now);
    bool decide(const std::string& topic, const FaceFilter& filter, const FaceEvent& event);

    std::map<std::string, TopicEntry> entries_;
    struct Verdict {
        bool face = false;
        bool place = false;
    };
    std::map<std::string, std::map<Track, Verdict>> verdicts_;  ///< by topic
    std::map<std::string, Monotonic, std::less<>> nextDue_;     ///< by topic, with the camera's id
};

}  // namespace edgecam::uplink
