// Snapshots: single full-size JPEGs on request. The encoder runs only until the next picture is made.
#pragma once

#include <functional>
#include <mutex>
#include <optional>
#include <vector>

#include "base/media.hpp"
#include "base/result.hpp"
#include "capture/encoder.hpp"

namespace edgecam::capture {

/// ask(), settle() and destruction are thread-bound (main); push() is for streaming threads.
class Snapshots {
  public:
    using Done = std::function<void(Result<Chunk>)>;
    static constexpr Microseconds kLimit = std::chrono::seconds(5);

    /// `ready` is called on a streaming thread when settle() has something to hand out.
    Snapshots(const Clock& clock, std::function<void()> ready);

    /// `done` is called on the main thread with a picture, or with an error after kLimit.
    void ask(Done done);
    [[nodiscard]] bool wanted() const { return !pending_.empty(); }
    /// Hands out what is made or overdue; call it now and then.
    void settle();
    void push(const Picture& picture, const PictureStamp& stamp) { encoder_.push(picture, stamp, 0); }

  private:
    struct Pending {
        Done done;
        Monotonic asked;
    };

    void take(const AccessUnit& unit, const Coding& coding, const PictureStamp& stamp);
    void answer(const Result<Chunk>& result, Monotonic askedBefore);

    const Clock& clock_;
    const std::function<void()> ready_;
    std::vector<Pending> pending_;

    std::mutex mutex_;
    std::optional<Chunk> made_;
    Encoder encoder_;  // last: it ends first
};

}  // namespace edgecam::capture
