#include "capture/supervisor.hpp"

#include <algorithm>
#include <cmath>
#include <cstdio>

namespace edgecam::capture {
namespace {

std::string secondsText(Microseconds time) {
    char text[32];
    std::snprintf(text, sizeof text, "%.1f s", static_cast<double>(time.count()) / 1e6);
    return text;
}

}  // namespace

void Supervisor::enable(bool enabled) {
    if (enabled == enabled_) return;
    enabled_ = enabled;
    if (!enabled) return;
    backOff_.reset();
    retryAt_ = clock_.monotonic();
    wrongCredentials_ = everFailed_ = false;
    reason_.clear();
}

Supervisor::Order Supervisor::next() {
    if (phase_ == Phase::opening || phase_ == Phase::live) watchForStall();
    const bool open = phase_ != Phase::waiting;
    if (open && (!enabled_ || phase_ == Phase::failed)) {
        phase_ = Phase::waiting;
        return Order::close;
    }
    if (!open && enabled_ && clock_.monotonic() >= retryAt_) {
        phase_ = Phase::opening;
        since_ = lastPicture_ = clock_.monotonic();
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
        stallLimit_ = std::max(kStall, Microseconds(std::llround(kStallIntervals * 1e6 / frameRate)));
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
    const bool opening = phase_ == Phase::opening;
    if (silence <= (opening ? kFirstPictureLimit : stallLimit_)) return;
    failed({SourceFailure::Kind::ordinary, "no picture for " + secondsText(silence)});
}

void Supervisor::failed(const SourceFailure& failure) {
    if (phase_ != Phase::opening && phase_ != Phase::live) return;
    phase_ = Phase::failed;
    everFailed_ = true;
    wrongCredentials_ = failure.kind == SourceFailure::Kind::wrongCredentials;
    reason_ = failure.cause;
    retryAt_ = clock_.monotonic() + (wrongCredentials_ ? kCredentialsWait : backOff_.next());
}

CameraState Supervisor::state() const {
    if (!enabled_) return CameraState::disabled;
    if (phase_ == Phase::live) return CameraState::live;
    if (wrongCredentials_) return CameraState::error;
    return everFailed_ ? CameraState::reconnecting : CameraState::starting;
}

}  // namespace edgecam::capture
