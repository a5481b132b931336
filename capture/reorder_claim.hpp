// ReorderClaim: whether a camera reorders its pictures as its parameter sets declare. One that declares it
// and never does makes decoders hold pictures back for nothing: a browser shows each a picture's time late.
// Pure.
#pragma once

#include <optional>

#include "base/clock.hpp"

namespace edgecam::capture {

/// Of one format. Not thread-safe.
class ReorderClaim {
  public:
    /// So much of it in decoding order, and a whole group, shows that it does not.
    static constexpr Microseconds kWatched = std::chrono::seconds(2);
    static constexpr int kPictures = 48;

    /// The next picture in decoding order, by its presentation time.
    void note(Microseconds pts, bool keyFrame) {
        if (latest_ && pts < *latest_) proven_ = true;
        if (!latest_ || pts > *latest_) latest_ = pts;
        ++pictures_;
        if (!keyFrame) return;
        if (!since_) since_ = pts;
        void_ = void_ || (pts - *since_ >= kWatched && pictures_ > kPictures);
    }
    /// The source broke off: times may go back. What was found out about it holds.
    void breakOff() { latest_.reset(); }

    /// Becomes so with a key frame, and stays so until a picture comes that precedes an earlier one.
    [[nodiscard]] bool isVoid() const { return void_ && !proven_; }

  private:
    std::optional<Microseconds> latest_;
    std::optional<Microseconds> since_;  ///< the first key frame
    int pictures_ = 0;
    bool void_ = false;
    bool proven_ = false;  ///< it does reorder
};

}  // namespace edgecam::capture
