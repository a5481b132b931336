// BestShots: the best view of each face that is there, kept as pixels and told as a JPEG with its events. It
// decides nothing about events: FaceEvents has said when; it has their rule for what the best view is.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <vector>

#include "base/face.hpp"
#include "base/picture.hpp"
#include "vision/face_crop.hpp"
#include "vision/face_events.hpp"
#include "vision/snapshot_encoder.hpp"

namespace edgecam::vision {

/// Not thread-safe. Some 100 KB for each face that is there.
class BestShots {
  public:
    /// `mostBytes`: of a JPEG; 0: none are made.
    explicit BestShots(std::size_t mostBytes = 0) : mostBytes_(mostBytes) {}

    /// From the next picture on; what is kept stays.
    void limit(std::size_t mostBytes) { mostBytes_ = mostBytes; }

    /// Before the picture's events are told.
    void see(const Picture& picture, const std::vector<Sighting>& seen);
    /// The picture's snapshots: in an enter and a leave the best view so far, in an update where it is
    /// clearly better than the one that was told. A leave ends what is kept. A face that could not be cut out
    /// or does not fit is told without.
    void addTo(std::vector<FaceEvent>& events);

  private:
    struct Shot {
        float quality = 0;
        float told = -1;  ///< quality of the view that was told; -1: none
        FaceCrop crop;
        std::optional<Snapshot> snapshot;  ///< of `crop`, once it was made
    };
    const std::optional<Snapshot>& snapshotOf(Shot& shot);

    std::size_t mostBytes_;
    SnapshotEncoder encoder_;
    std::map<std::uint64_t, Shot> shots_;  ///< by track
};

}  // namespace edgecam::vision
