// Look: decoded pictures for whoever analyses them, thinned before they reach the mailbox.
#pragma once

#include <atomic>
#include <mutex>

#include "base/mailbox.hpp"
#include "base/picture.hpp"
#include "capture/picture_gate.hpp"
#include "capture/timeline.hpp"

namespace edgecam::capture {

/// Thread-safe.
class Look {
  public:
    explicit Look(Mailbox<Picture>* pictures) : pictures_(pictures) {}

    void limit(double perSecond) {
        const std::lock_guard lock(mutex_);
        on_ = pictures_ && perSecond > 0;
        gate_.limit(perSecond);
    }
    [[nodiscard]] bool on() const { return on_; }
    /// From which of the camera's streams.
    void takeFromSub(bool sub) { fromSub_ = sub; }
    [[nodiscard]] bool takesFromSub() const { return fromSub_; }
    /// The pictures that come are key frames and no others.
    void onlyKeyFrames(bool only) { onlyKeyFrames_ = only; }
    void offer(const Picture& picture, const PictureStamp& stamp, bool fromSub) {
        if (!on_ || fromSub_ != fromSub) return;
        {
            const std::lock_guard lock(mutex_);
            // The streams' delays differ: after a change pictures would go back in time.
            if (isBehind(stamp.mediaTime, newest_)) return;
            newest_ = stamp.mediaTime;
            const Microseconds time = stamp.mediaTime;
            if (!(onlyKeyFrames_ ? gate_.passAlone(time) : gate_.pass(time))) return;
        }
        pictures_->put(picture);
    }

  private:
    Mailbox<Picture>* pictures_;
    std::atomic<bool> on_{false};
    std::atomic<bool> fromSub_{false};
    std::atomic<bool> onlyKeyFrames_{false};
    std::mutex mutex_;
    Microseconds newest_{-1};
    PictureGate gate_;
};

}  // namespace edgecam::capture
