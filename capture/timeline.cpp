#include "capture/timeline.hpp"

#include <algorithm>
#include <cmath>

namespace edgecam::capture {
namespace {

constexpr std::uint64_t kNeighbours = 32;  ///< pictures among which two could claim the same time
constexpr std::uint64_t kMeasured = 32;    ///< intervals that a rate is measured over
constexpr double kNearlyWhole = 0.02;      ///< of the rate: what jitter makes of a whole one

double wholeIfNearly(double rate) {
    const double whole = std::round(rate);
    return std::abs(rate - whole) <= kNearlyWhole * whole ? whole : rate;
}

}  // namespace

std::uint32_t CameraCount::last() const {
    const std::lock_guard lock(mutex_);
    return last_;
}

std::uint32_t CameraCount::take(std::uint32_t wanted) {
    const std::lock_guard lock(mutex_);
    return last_ = std::max(wanted, last_ + 1);
}

std::optional<Monotonic> CameraCount::zero() const {
    const std::lock_guard lock(mutex_);
    return zero_;
}

void CameraCount::began(Monotonic zero) {
    const std::lock_guard lock(mutex_);
    if (!zero_) zero_ = zero;
}

Microseconds CameraCount::latest() const {
    const std::lock_guard lock(mutex_);
    return latest_;
}

void CameraCount::reached(Microseconds mediaTime) {
    const std::lock_guard lock(mutex_);
    latest_ = std::max(latest_, mediaTime);
}

void Timeline::beginGeneration() {
    const std::lock_guard lock(mutex_);
    shift_.reset();
    generationBase_ = count_->last();
    generationCount_ = 0;
    measuredRate_ = 0;
}

Microseconds Timeline::shiftFor(const SourceTime& time) const {
    const auto zero = count_->zero();
    if (!zero) return kFirstMediaTime - time.running;
    const auto realTime = std::chrono::duration_cast<Microseconds>(clock_.monotonic() - time.age - *zero);
    return std::max(realTime, latest_ + Microseconds(1)) - time.running;
}

bool Timeline::taken(const PictureStamp& stamp) const {
    for (std::uint64_t i = 1; i <= std::min(stamped_, kNeighbours); ++i) {
        const PictureStamp& other = memory_[(stamped_ - i) % kMemory];
        if (other.mediaTime == stamp.mediaTime || other.captureTime == stamp.captureTime) return true;
    }
    return false;
}

PictureStamp Timeline::stamp(const SourceTime& time) {
    const std::lock_guard lock(mutex_);
    if (!shift_) shift_ = shiftFor(time);
    PictureStamp stamp;
    stamp.mediaTime = std::max(time.running + *shift_, Microseconds(0));
    stamp.captureTime = time.taken.value_or(clock_.utc() - time.age);
    stamp.capturedAt = clock_.monotonic() - time.age;
    while (taken(stamp)) {
        stamp.mediaTime += Microseconds(1);
        stamp.captureTime += Microseconds(1);
    }
    count_->began(clock_.monotonic() - time.age - stamp.mediaTime);
    stamp.sequence = count_->take(generationBase_ + time.number.value_or(0));
    latest_ = std::max(latest_, stamp.mediaTime);
    count_->reached(stamp.mediaTime);
    memory_[stamped_++ % kMemory] = stamp;
    if (++generationCount_ == kMeasured + 1) measuredRate_ = rateOfNewest();
    return stamp;
}

std::optional<PictureStamp> Timeline::find(std::uint32_t sequence) const {
    const std::lock_guard lock(mutex_);
    for (std::uint64_t i = 1; i <= std::min<std::uint64_t>(stamped_, kMemory); ++i) {
        const PictureStamp& stamp = memory_[(stamped_ - i) % kMemory];
        if (stamp.sequence == sequence) return stamp;
        if (stamp.sequence < sequence) break;
    }
    return std::nullopt;
}

double Timeline::rateOfNewest() const {
    const Microseconds newest = memory_[(stamped_ - 1) % kMemory].mediaTime;
    const Microseconds oldest = memory_[(stamped_ - 1 - kMeasured) % kMemory].mediaTime;
    if (newest <= oldest) return 0;
    return wholeIfNearly(static_cast<double>(kMeasured) * 1e6 /
                         static_cast<double>((newest - oldest).count()));
}

double Timeline::measuredRate() const {
    const std::lock_guard lock(mutex_);
    return measuredRate_;
}

}  // namespace edgecam::capture
