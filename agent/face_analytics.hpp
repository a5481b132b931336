// FaceAnalytics: how many faces each camera and zone has now, had in the last minute and in all, and how long
// they stayed, counted from their events. It knows no picture and no peer.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <mutex>
#include <string>
#include <vector>

#include "base/clock.hpp"
#include "base/face.hpp"
#include "uplink/figures.hpp"

namespace edgecam::agent {

/// How many came in the last 60 s, to the second. Pure.
class LastMinute {
  public:
    void add(Monotonic now);
    [[nodiscard]] std::uint64_t count(Monotonic now) const;

  private:
    struct Second {
        std::int64_t number = -1;
        std::uint64_t count = 0;
    };
    static constexpr std::size_t kSeconds = 60;
    std::array<Second, kSeconds> seconds_;
};

/// Thread-safe: events come on the thread that looks, and from where a camera ends.
class FaceAnalytics {
  public:
    /// Events of a track in their order; one that did not enter is not counted.
    void count(const FaceEvent& event, Monotonic now);
    /// Into `figures`, with those of `zones` alone.
    void addTo(uplink::CameraFigures& figures, const std::string& cameraId,
               const std::vector<std::string>& zones, Monotonic now);
    /// The camera is gone; what was counted is no more.
    void end(const std::string& cameraId);

  private:
    struct Place {
        uplink::FaceFigures figures;  ///< without lastMinute
        LastMinute came;
        void enter(Monotonic now);
        void leave(Microseconds stayed);
    };
    /// When somebody came, by both clocks: a wall clock that jumps must not make years of a minute.
    struct Since {
        Utc told;
        Monotonic heard;
        [[nodiscard]] Microseconds until(Utc end, Monotonic now) const;
    };
    struct Presence {
        Since since;
        std::map<std::string, Since> zones;  ///< those it is in
    };
    struct Camera {
        Place whole;
        std::map<std::string, Place> zones;
        std::map<std::uint64_t, Presence> present;  ///< by track
    };
    static void move(Camera& camera, Presence& presence, const FaceEvent& event, Monotonic now);

    std::mutex mutex_;
    std::map<std::string, Camera> cameras_;
};

}  // namespace edgecam::agent
