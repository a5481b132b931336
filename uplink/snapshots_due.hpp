// SnapshotsDue: which snapshots of durable events a consumer was told of and has not got yet. The pictures
// themselves stay in the journal until there is room for them. Pure.
#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <utility>

#include "base/clock.hpp"

namespace edgecam::uplink {

struct DueSnapshot {
    std::int64_t seq = 0;  ///< of its event
    std::string cameraId;
    std::uint16_t channel = 0;   ///< on which it was announced
    std::uint32_t sequence = 0;  ///< of the picture it is from
    Utc captureTime;             ///< the same
};

/// In order of seq. Not thread-safe.
class SnapshotsDue {
  public:
    /// So many may be due; then events that have one wait.
    static constexpr std::size_t kMost = 4096;

    void add(DueSnapshot snapshot) { due_.push_back(std::move(snapshot)); }
    [[nodiscard]] bool full() const { return due_.size() >= kMost; }

    /// Which one to read from the journal: the first, if its event was written (up to `written`), and none is
    /// being read. Counts as being read until arrived().
    std::optional<std::int64_t> next(std::int64_t written) {
        if (reading_ || due_.empty() || due_.front().seq > written) return std::nullopt;
        reading_ = true;
        return due_.front().seq;
    }
    /// The journal has answered. `known`: it could say whether there is such a snapshot; else it is asked
    /// again. Returns what it was for, unless the consumer needs it no more.
    std::optional<DueSnapshot> arrived(std::int64_t seq, bool known) {
        reading_ = false;
        if (!known || due_.empty() || due_.front().seq != seq) return std::nullopt;
        DueSnapshot first = std::move(due_.front());
        due_.pop_front();
        return first;
    }
    /// The consumer has all it wants of the events up to `seq`.
    void passed(std::int64_t seq) {
        while (!due_.empty() && due_.front().seq <= seq) due_.pop_front();
    }

  private:
    std::deque<DueSnapshot> due_;
    bool reading_ = false;
};

}  // namespace edgecam::uplink
