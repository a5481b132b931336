#include "uplink/rate_controller.hpp"

#include <algorithm>
#include <cmath>

namespace edgecam::uplink {
namespace {

using namespace std::chrono_literals;

constexpr std::size_t kCapacityTicks = 3;    // what the link carries now
constexpr std::size_t kStandingTicks = 3;    // of the least delay
constexpr std::size_t kUseTicks = 10;        // does the encoder use its rate?
constexpr double kLeastCapacity = 12'500;    // bytes a second; less is no video, and would be divided by
constexpr double kFades = 0.98;              // of a capacity that was not seen again, a tick
constexpr Microseconds kBusyQueue = 40ms;    // so much queueing on the way: it had something to carry
constexpr Microseconds kStaleFlush = 200ms;  // a key frame of four times the mean takes 133 ms
constexpr Microseconds kBetweenFlushes = 1s;
constexpr Microseconds kAckWindow = 30s;
constexpr double kReceiverIsLimit = 0.5;
constexpr double kCeilingNear = 0.9;
constexpr double kCeilingPassed = 1.1;

double bytesPerSecond(int kbps) {
    return kbps * 1000.0 / 8;
}

}  // namespace

const char* nameOf(RateState state) {
    switch (state) {
        case RateState::start:
            return "start";
        case RateState::hold:
            return "hold";
        case RateState::probe:
            return "probe";
        case RateState::cut:
            return "cut";
        case RateState::survive:
            return "survive";
    }
    return "hold";
}

RateController::RateController(RateLimits limits, RateTuning tuning) : tuning_(tuning) {
    rate_ = bytesPerSecond(tuning_.firstKbps);
    setLimits(limits);
}

void RateController::setLimits(RateLimits limits) {
    limits_ = {.leastKbps = std::max(1, limits.leastKbps),
               .mostKbps = std::max({1, limits.leastKbps, limits.mostKbps})};
    rate_ = std::clamp(rate_, bytesPerSecond(limits_.leastKbps), bytesPerSecond(limits_.mostKbps));
}

RateDecision RateController::tick(const RateSample& sample) {
    if (seen_.empty() || sample.acked != seen_.back().acked || sample.outstanding == 0)
        lastProgress_ = sample.at;
    const Microseconds silence = sample.at - lastProgress_;
    const Behind behind = delayBehind(sample);
    follow(sample, behind);
    followDelay(sample, behind.delay, silence);
    RateDecision decision;
    // What is acknowledged comes a round trip late, and not in every tick.
    if (silence > tuning_.silence + sample.leastRtt) {
        outage_ = silence;
        state_ = RateState::survive;
    } else {
        if (outage_) resume();
        decide(sample, decision);
    }
    if (decision.flush) lastFlush_ = sample.at;
    setLimits(limits_);
    decision.state = state_;
    decision.kbps = std::clamp(static_cast<int>(target() * 8 / 1000), limits_.leastKbps, limits_.mostKbps);
    return decision;
}

void RateController::follow(const RateSample& sample, const Behind& behind) {
    leastRtt_ = sample.leastRtt;
    const bool busy =
        behind.hidden || (sample.outstanding > 0 && (!sample.appLimited || behind.delay > kBusyQueue));
    busyTicks_ = busy ? busyTicks_ + 1 : 0;
    seen_.push_back({sample.at, sample.acked, busy});
    if (seen_.size() > kUseTicks + 1) seen_.pop_front();
    capacity_ = busyTicks_ >= 2 ? carried(std::min(busyTicks_, kCapacityTicks))
                                : std::max(capacity_ * kFades, carried(kCapacityTicks));
}

/// What TCP sees of it, or what the hub's acknowledgements tell, whichever is more.
RateController::Behind RateController::delayBehind(const RateSample& sample) {
    if (!sample.mediaAckDelay) return {.delay = sample.queueDelay};
    while (!ackDelays_.empty() && ackDelays_.front().at + kAckWindow < sample.at) ackDelays_.pop_front();
    while (!ackDelays_.empty() && ackDelays_.back().delay >= *sample.mediaAckDelay) ackDelays_.pop_back();
    ackDelays_.push_back({sample.at, *sample.mediaAckDelay});
    const Microseconds told = *sample.mediaAckDelay - ackDelays_.front().delay;
    return {.delay = std::max(sample.queueDelay, told), .hidden = told > kBusyQueue};
}

void RateController::followDelay(const RateSample& sample, Microseconds behind, Microseconds silence) {
    const double lane = std::max(secondsOf(sample.sojourn), static_cast<double>(sample.waiting) / capacity());
    delay_ = lane + static_cast<double>(sample.unsent) / capacity() + secondsOf(behind);
    if (silence > tuning_.silence) delay_ = std::max(delay_, secondsOf(silence));
    delays_.push_back(delay_);
    if (delays_.size() > kStandingTicks) delays_.pop_front();
}

/// Something got through again: what was learnt in between tells of the outage, not of the link.
void RateController::resume() {
    if (*outage_ > tuning_.outage) {
        rate_ *= tuning_.afterOutage;
        ceiling_ = 0;
    }
    outage_.reset();
    capacity_ = std::max(capacity_, carried(1));
    busyTicks_ = 0;
    seen_.erase(seen_.begin(), seen_.end() - 1);
    seen_.back().busy = false;
    delays_.erase(delays_.begin(), delays_.end() - 1);
    heldBack_.clear();
    lastCut_.reset();
}

void RateController::decide(const RateSample& sample, RateDecision& decision) {
    const double standing = standingDelay();
    const bool receiver = sample.receiverLimited >= kReceiverIsLimit;
    const bool tooMuch = standing > secondsOf(tuning_.targetDelay) && busyTicks_ >= 2;
    if (tooMuch || heldBack(sample.at) >= tuning_.manyHeldBack) {
        state_ = RateState::cut;
        if (cut(sample.at) && !receiver) {
            ceiling_ = carriedWhileBusy(tuning_.carriedOver);
            ceilingSeenAt_ = sample.at;
        }
        decision.flush = decision.flush || shouldFlush(sample);
    } else if (delay_ < secondsOf(tuning_.calmDelay) && !receiver && usesItsRate() &&
               !(lastCut_ && sample.at <= *lastCut_ + tuning_.holdAfterCut)) {
        if (state_ != RateState::start) state_ = RateState::probe;
        grow(sample.at);
    } else if (state_ != RateState::start || !usesItsRate()) {
        state_ = RateState::hold;
    }
}

bool RateController::cut(Monotonic now) {
    if (lastCut_ && now <= *lastCut_ + tuning_.betweenCuts) return false;
    const double wanted =
        std::max(tuning_.share * carriedWhileBusy(tuning_.carriedOver), tuning_.deepestCut * rate_);
    if (wanted >= rate_) return false;
    rate_ = wanted;
    lastCut_ = now;
    heldBack_.clear();
    return true;
}

void RateController::grow(Monotonic now) {
    const double standing = standingDelay();
    // At that rate half a frame's time would be queueing delay, were the link full.
    if (standing < secondsOf(tuning_.frameSpan) / 2) ceiling_ = 0;
    const bool remembered = ceiling_ > 0 && now < ceilingSeenAt_ + tuning_.ceilingLasts;
    double growth = tuning_.growthAtCeiling;
    if (!remembered || rate_ < kCeilingNear * ceiling_ || rate_ > kCeilingPassed * ceiling_) {
        const double idle = std::max(0.0, 1 - standing / secondsOf(tuning_.frameSpan));
        growth = tuning_.growth + tuning_.growthWhenIdle * idle;
    }
    const double calm = 1 - standing / secondsOf(tuning_.calmDelay);
    rate_ *= 1 + growth * calm * secondsOf(kTick);
}

bool RateController::shouldFlush(const RateSample& sample) const {
    if (lastFlush_ && sample.at < *lastFlush_ + kBetweenFlushes) return false;
    const double toDrain = static_cast<double>(sample.waiting) / capacity();
    return std::max(secondsOf(sample.sojourn), toDrain) > secondsOf(tuning_.hardDelay) &&
           toDrain > secondsOf(kStaleFlush);
}

bool RateController::takesPicture(Monotonic now, std::size_t queued) {
    if (queued < pictureAllowance()) return true;
    refused(now, 1);
    return false;
}

std::size_t RateController::pictureAllowance() const {
    const double most = secondsOf(tuning_.pictureWait) + tuning_.roundTrips * secondsOf(leastRtt_);
    return static_cast<std::size_t>(std::ceil(most * capacity()));
}

void RateController::refused(Monotonic now, std::uint32_t pictures) {
    heldBack_.insert(heldBack_.end(), pictures, now);
}

std::ptrdiff_t RateController::heldBack(Monotonic now) {
    while (!heldBack_.empty() && heldBack_.front() < now - 1s) heldBack_.pop_front();
    return std::ssize(heldBack_);
}

/// What was acknowledged in the last `ticks`.
double RateController::carried(std::size_t ticks) const {
    if (seen_.size() < 2) return 0;
    const Seen& from = seen_[seen_.size() - 1 - std::min(ticks, seen_.size() - 1)];
    const Microseconds span = seen_.back().at - from.at;
    const auto bytes = static_cast<double>(seen_.back().acked - std::min(seen_.back().acked, from.acked));
    return span > 0us ? bytes / secondsOf(span) : 0;
}

/// Of the ticks in which the link was busy; without two of them, what it was seen to carry at least.
double RateController::carriedWhileBusy(Microseconds within) const {
    double bytes = 0;
    double seconds = 0;
    int ticks = 0;
    for (std::size_t i = seen_.size() - 1; i > 0 && seen_.back().at - seen_[i].at < within; --i) {
        if (!seen_[i].busy) continue;
        bytes += static_cast<double>(seen_[i].acked - std::min(seen_[i].acked, seen_[i - 1].acked));
        seconds += secondsOf(seen_[i].at - seen_[i - 1].at);
        ++ticks;
    }
    return ticks >= 2 && seconds > 0 ? bytes / seconds : std::max(capacity(), carried(kUseTicks));
}

double RateController::capacity() const {
    return std::max(capacity_, kLeastCapacity);
}

double RateController::standingDelay() const {
    return delays_.empty() ? 0 : *std::ranges::min_element(delays_);
}

/// An encoder with an easy picture sends less than it may. A higher rate would then be no probe, only a
/// surprise later.
bool RateController::usesItsRate() const {
    return seen_.size() <= kUseTicks || carried(kUseTicks) > rate_ / 2;
}

double RateController::target() const {
    if (state_ == RateState::survive) return bytesPerSecond(limits_.leastKbps);
    const double excess = delay_ - secondsOf(tuning_.drainAbove);
    if (excess <= 0) return rate_;
    return std::max(rate_ * tuning_.leastShare, rate_ - excess / secondsOf(tuning_.drainWithin) * capacity());
}

Microseconds RateController::delay() const {
    return Microseconds(std::llround(delay_ * 1e6));
}

}  // namespace edgecam::uplink
