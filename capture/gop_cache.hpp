// GopCache: the chunks since the last key frame, so that a new viewer starts at once and a cold decoder can
// be warmed up. Bounded in bytes and in time: a camera whose GOP is longer has no cache until its next key
// frame.
#pragma once

#include <cstddef>
#include <optional>
#include <vector>

#include "base/media.hpp"

namespace edgecam::capture {

struct GopLimits {
    std::size_t bytes = 2 << 20;
    Microseconds span =
        std::chrono::seconds(2) + std::chrono::milliseconds(200);  ///< capture time, first to last
};

/// Not thread-safe: its owner's lock covers it.
class GopCache {
  public:
    explicit GopCache(GopLimits limits) : limits_(limits) {}

    /// An init segment starts a new format: everything older goes. A key frame starts a new group. Chunks
    /// that no kept key frame leads to are not kept: those before the first one, those after a discontinuity,
    /// those of a group that outgrew the limits. JPEGs are key frames: only the newest is kept.
    void add(const Chunk& chunk);
    void clear();

    /// Init segment, then the group; only the init segment when the group outgrew its limits or has not
    /// begun.
    [[nodiscard]] Backlog backlog() const;
    /// Pictures of the group that is kept.
    [[nodiscard]] std::size_t groupSize() const { return group_.size(); }
    /// Whether a group was given up since the last key frame.
    [[nodiscard]] bool overflowed() const { return overflowed_; }
    /// Whether groups are kept to their end: not while the present one or the last was given up.
    [[nodiscard]] bool keepsGroups() const { return !gaveUp_; }

  private:
    void dropGroup();

    GopLimits limits_;
    std::optional<Chunk> init_;
    std::vector<Chunk> group_;
    std::size_t groupBytes_ = 0;
    bool overflowed_ = false;
    bool gaveUp_ = false;  ///< the present group or the one before it
};

}  // namespace edgecam::capture
