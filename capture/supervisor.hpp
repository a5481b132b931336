// Supervisor: decides when a camera's source is opened, given up and tried again, and says why it is not
// live. Pure: it opens nothing itself and asks a Clock for the time.
#pragma once

#include <cstdint>
#include <string>

#include "base/clock.hpp"
#include "base/media.hpp"
#include "capture/back_off.hpp"
#include "capture/source_failure.hpp"

namespace edgecam::capture {

/// Not thread-safe.
class Supervisor {
  public:
    enum class Order { none, open, close };

    static constexpr Microseconds kStall = std::chrono::seconds(3);
    static constexpr int kStallIntervals = 5;
    /// A camera may take its time to wake up and to come to its first key frame.
    static constexpr Microseconds kFirstPictureLimit = std::chrono::seconds(8);
    /// Many tries with a wrong password lock accounts.
    static constexpr Microseconds kCredentialsWait = std::chrono::seconds(60);
    /// Live for so long, a source has proved itself: the next failure is tried again at once.
    static constexpr Microseconds kHealthyAfter = std::chrono::seconds(10);

    Supervisor(const Clock& clock, bool enabled) : clock_(clock), enabled_(enabled) {}

    void enable(bool enabled);
    /// Whether anybody needs the source. Not needed: it is closed, and no sooner tried again than after a
    /// failure it would be anyway.
    void need(bool needed) { needed_ = needed; }
    /// What to do now. `close` comes before the next `open`; each is given once.
    [[nodiscard]] Order next();

    /// The newest picture of the open source, and the source's rate; 0: not known since it was opened, then
    /// the next picture may take as long as the first one.
    void sawPicture(Monotonic when, double frameRate);
    /// Repeated reports about one opening are one failure.
    void failed(const SourceFailure& failure);
    /// What is wrong with the pictures although they come, a sentence; empty: nothing. While live, the state
    /// is degraded by it. `silences`: it may also be why none come.
    void impaired(std::string reason, bool silences);
    /// A device appeared: what waits for one is tried again at once, and again from the shortest wait on.
    void hurry();

    [[nodiscard]] CameraState state() const;
    [[nodiscard]] const std::string& reason() const { return isImpaired() ? impairment_ : reason_; }
    [[nodiscard]] std::uint64_t restarts() const { return opened_ > 0 ? opened_ - 1 : 0; }

  private:
    enum class Phase { waiting, opening, live, failed };

    void watchForStall();
    [[nodiscard]] bool isImpaired() const { return phase_ == Phase::live && !impairment_.empty(); }

    const Clock& clock_;
    bool enabled_;
    bool needed_ = true;
    Phase phase_ = Phase::waiting;
    bool wrongCredentials_ = false;
    std::string reason_;
    std::string impairment_;
    bool silencing_ = false;
    BackOff backOff_;
    Monotonic since_{};  ///< begin of the phase
    Monotonic retryAt_{};
    Monotonic lastPicture_{};
    Microseconds silenceLimit_ = kFirstPictureLimit;
    std::uint64_t opened_ = 0;
    bool everFailed_ = false;
};

}  // namespace edgecam::capture
