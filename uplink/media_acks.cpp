#include "uplink/media_acks.hpp"

#include <algorithm>

namespace edgecam::uplink {
namespace {

constexpr std::size_t kPauses = 8;
constexpr Microseconds kLeastPause = std::chrono::milliseconds(200);  // at kMostPerSecond

}  // namespace

void MediaAcks::handed(std::uint16_t channel, std::uint32_t sequence, Monotonic now) {
    // A stream that is started again goes back to its last key frame.
    const auto known = newest_.try_emplace(channel, sequence).first;
    known->second = std::max(known->second, sequence);
    pictures_.push_back({channel, sequence, now});
    if (pictures_.size() > kMostRemembered) pictures_.pop_front();
}

MediaAcks::Verdict MediaAcks::acknowledged(std::uint16_t channel, std::uint32_t sequence, Monotonic now) {
    if (!pace_.takeIfThere(1, now)) return Verdict::tooOften;
    const auto newest = newest_.find(channel);
    if (newest == newest_.end()) return Verdict::unknownChannel;
    if (sequence > newest->second) return Verdict::unknownSequence;
    const auto picture = std::find_if(pictures_.rbegin(), pictures_.rend(), [&](const Picture& each) {
        return each.channel == channel && each.sequence == sequence;
    });
    if (picture == pictures_.rend()) return Verdict::old;
    if (last_) {
        pauses_.push_back(now - heardAt_);
        if (pauses_.size() > kPauses) pauses_.pop_front();
    }
    heardAt_ = now;
    last_ = now - picture->at;
    delays_.add(*last_);
    pictures_.erase(pictures_.begin(), picture.base());
    return Verdict::taken;
}

/// The longest of late.
Microseconds MediaAcks::usualPause() const {
    return pauses_.empty() ? kLeastPause : std::max(kLeastPause, *std::ranges::max_element(pauses_));
}

std::optional<Microseconds> MediaAcks::delay(Monotonic now) const {
    if (!last_ || now - heardAt_ > kSilence) return std::nullopt;
    if (pictures_.empty()) return last_;
    // Not how old the first of them is: after the last picture for now nobody has more to acknowledge.
    const Microseconds without = pictures_.back().at - pictures_.front().at;
    return std::max(*last_, without - usualPause());
}

}  // namespace edgecam::uplink
