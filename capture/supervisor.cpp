#include "capture/supervisor.hpp"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <utility>

namespace edgecam::capture {
namespace {

std::string secondsText(Microseconds time) {
    char text[32];
    std::snprintf(text, sizeof text, "%.3g s", static_cast<double>(time.count()) / 1e6);
    return text;
}

}  // namespace

void Supervisor::enable(bool enabled) {
    if (enabled == enabled_) return;
    enabled_ = enabled;
    reason_.clear();
    if (!enabled) return;
    backOff_.reset();
    retryAt_ = clock_.monotonic();
    wrongCredentials_ = everFailed_ = false;
}

Supervisor::Order Supervisor::next() {
    if (phase_ == Phase::opening || phase_ == Phase::live) watchForStall();
    const bool open = phase_ != Phase::waiting;
    if (!needed_ && phase_ == Phase::live) everFailed_ = false;
    if (open && (!enabled_ || !needed_ || phase_ == Phase::failed)) {
        phase_ = Phase::waiting;
        return Order::close;
    }
    if (!open && enabled_ && needed_ && clock_.monotonic() >= retryAt_) {
        phase_ = Phase::opening;
        since_ = lastPicture_ = clock_.monotonic();
        silenceLimit_ = kFirstPictureLimit;
        ++opened_;
        return Order::open;
    }
    return Order::none;
}

void Supervisor::sawPicture(Monotonic when, double frameRate) {
    if (phase_ != Phase::opening && phase_ != Phase::live) return;
    if (when <= since_ && phase_ == Phase::opening) return;
    lastPicture_ = std::max(lastPicture_, when);
    if (frameRate > 0) {
        silenceLimit_ = std::max(kStall, Microseconds(std::llround(kStallIntervals * 1e6 / frameRate)));
    }
    if (phase_ == Phase::opening) {
        phase_ = Phase::live;
        since_ = when;
        wrongCredentials_ = false;
        reason_.clear();
    }
    if (clock_.monotonic() - since_ >= kHealthyAfter) backOff_.reset();
}

void Supervisor::watchForStall() {
    const Microseconds silence = clock_.monotonic() - lastPicture_;
    if (silence <= silenceLimit_) return;
    // The limit and not the silence: one trouble that goes on must not read differently every time.
    failed({SourceFailure::Kind::ordinary,
            silencing_ ? impairment_ : "no picture for more than " + secondsText(silenceLimit_)});
}

void Supervisor::impaired(std::string reason, bool silences) {
    impairment_ = std::move(reason);
    silencing_ = silences && !impairment_.empty();
}

void Supervisor::hurry() {
    backOff_.reset();
    if (!wrongCredentials_) retryAt_ = std::min(retryAt_, clock_.monotonic());
}

void Supervisor::failed(const SourceFailure& failure) {
    if (!enabled_ || (phase_ != Phase::opening && phase_ != Phase::live)) return;
    phase_ = Phase::failed;
    everFailed_ = true;
    wrongCredentials_ = failure.kind == SourceFailure::Kind::wrongCredentials;
    reason_ = failure.cause;
    retryAt_ = clock_.monotonic() + (wrongCredentials_ ? kCredentialsWait : backOff_.next());
}

CameraState Supervisor::state() const {
    if (!enabled_) return CameraState::disabled;
    if (phase_ == Phase::live) return isImpaired() ? CameraState::degraded : CameraState::live;
    if (wrongCredentials_) return CameraState::error;
    return everFailed_ ? CameraState::reconnecting : CameraState::starting;
}

}  // namespace edgecam::capture
