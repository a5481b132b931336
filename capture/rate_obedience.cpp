#include "capture/rate_obedience.hpp"

#include <algorithm>

namespace edgecam::capture {

void RateObedience::aim(int kbps) {
    if (!aims_.empty() && aims_.back().kbps == kbps) return;
    // One that no picture was coded under was never in force; who codes none may be told for ever.
    if (!aims_.empty() && aims_.back().since == now_) aims_.pop_back();
    aims_.push_back({now_, kbps});
}

void RateObedience::restarted() {
    window_.clear();
    if (!aims_.empty()) aims_.erase(aims_.begin(), aims_.end() - 1);
    begun_ = toldAgain_ = false;
}

int RateObedience::measuredKbps() const {
    std::size_t bytes = 0;
    std::size_t largest = 0;
    for (const Coded& picture : window_) {
        bytes += picture.bytes;
        largest = std::max(largest, picture.bytes);
    }
    return static_cast<int>((bytes - largest) * 8 / 1000);  // of one second
}

int RateObedience::highestAim() const {
    return std::ranges::max_element(aims_, {}, &Aim::kbps)->kbps;
}

void RateObedience::forgetBefore(Microseconds time) {
    while (!window_.empty() && window_.front().time <= time) window_.pop_front();
    // An aim holds until the next one: the last before the window is in it.
    while (aims_.size() > 1 && aims_[1].since <= time) aims_.pop_front();
}

RateObedience::Verdict RateObedience::coded(std::size_t bytes, Microseconds mediaTime) {
    if (!begun_ || mediaTime < now_) {
        restarted();
        for (Aim& aim : aims_) aim.since = mediaTime;
        begun_ = true;
        from_ = mediaTime;
    }
    now_ = mediaTime;
    window_.push_back({mediaTime, bytes});
    forgetBefore(mediaTime - kWindow);
    if (aims_.empty() || now_ - from_ < kWindow) return Verdict::obeys;
    if (measuredKbps() > kTolerance * highestAim()) return disobeyed();
    if (onTrial_) pause_ = kPause;
    toldAgain_ = onTrial_ = false;
    return Verdict::obeys;
}

RateObedience::Verdict RateObedience::disobeyed() {
    if (onTrial_) pause_ = std::clamp(2 * pause_, kFutilePause, kLongestPause);
    if (onTrial_) rebuildFrom_ = now_ + pause_;
    onTrial_ = false;
    if (toldAgain_ && now_ < rebuildFrom_) return Verdict::obeys;
    from_ = now_;  // another whole window before the next judgement
    if (!toldAgain_) {
        toldAgain_ = true;
        return Verdict::tellAgain;
    }
    toldAgain_ = false;
    onTrial_ = true;
    rebuildFrom_ = now_ + pause_;
    return Verdict::rebuild;
}

}  // namespace edgecam::capture
