#include "uplink/link_meter.hpp"

#include <linux/sockios.h>
#include <linux/tcp.h>
#include <netinet/in.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include <algorithm>
#include <cmath>

namespace edgecam::uplink {
namespace {

// A smoothed round trip this close to the minimum confirms it.
constexpr Microseconds kNear = std::chrono::milliseconds(10);
// A receiver may hold an acknowledgement back for 40 ms, and a sample comes some milliseconds late.
constexpr Microseconds kProbeError = std::chrono::milliseconds(50);
// Urgent messages may keep a probe from ever seeing the link empty. (Plus a round trip.)
constexpr Microseconds kLongestProbe = std::chrono::seconds(1);
// How much faster than measured the link is tried, as in BBR's ProbeBW.
constexpr double kProbeGain = 1.25;
// What stands for "never", where a rate is nearly nothing.
constexpr Microseconds kVeryLong = std::chrono::seconds(10);

}  // namespace

std::size_t readOutstanding(int socket) {
    int bytes = 0;
    return ioctl(socket, SIOCOUTQ, &bytes) == 0 && bytes > 0 ? static_cast<std::size_t>(bytes) : 0;
}

std::optional<LinkSample> readLink(int socket, Monotonic now) {
    tcp_info info{};
    socklen_t size = sizeof info;
    if (getsockopt(socket, IPPROTO_TCP, TCP_INFO, &info, &size) != 0) return std::nullopt;
    constexpr std::uint32_t kNoneYet = ~0U;  // of tcpi_min_rtt
    return LinkSample{.at = now,
                      .outstanding = readOutstanding(socket),
                      .unsent = info.tcpi_notsent_bytes,
                      .rtt = Microseconds(info.tcpi_rtt),
                      .leastRtt = Microseconds(info.tcpi_min_rtt == kNoneYet ? 0 : info.tcpi_min_rtt),
                      .receiverLimited = Microseconds(info.tcpi_rwnd_limited),
                      .acked = info.tcpi_bytes_acked,
                      .received = info.tcpi_bytes_received,
                      .sinceAck = std::chrono::milliseconds(info.tcpi_last_ack_recv)};
}

void LinkMeter::add(const LinkSample& sample) {
    followRate(sample);
    followRtt(sample);
    followProbe(sample);
}

void LinkMeter::followRate(const LinkSample& sample) {
    heldThroughout_ = heldThroughout_ && sample.held;
    if (intervalStart_) {
        const Microseconds span = sample.at - intervalStart_->at;
        if (span < std::max(kRateInterval, sample.rtt)) return;
        const auto bytes = static_cast<double>(sample.acked - std::min(sample.acked, intervalStart_->acked));
        enterRate({bytes / secondsOf(span), sample.at}, heldThroughout_);
    }
    intervalStart_ = sample;
    heldThroughout_ = true;
}

void LinkMeter::enterRate(Rate rate, bool limited) {
    if (!limited && limitSeenAt_ && *limitSeenAt_ + kMemory < rate.at) {
        limitSeenAt_.reset();
        rates_.clear();
    }
    if (!limited && !rates_.empty() && rate.bytesPerSecond <= rates_.front().bytesPerSecond) return;
    if (limited) limitSeenAt_ = rate.at;
    while (!rates_.empty() && rates_.front().at + kRateWindow < rate.at) rates_.pop_front();
    while (!rates_.empty() && rates_.back().bytesPerSecond <= rate.bytesPerSecond) rates_.pop_back();
    rates_.push_back(rate);
}

void LinkMeter::followRtt(const LinkSample& sample) {
    if (sample.leastRtt > Microseconds(0)) {
        const bool shorter = !kernelsLeast_ || sample.leastRtt < *kernelsLeast_;
        kernelsLeast_ = sample.leastRtt;
        if (shorter) {
            minimumRtt_ = sample.leastRtt;
            confirmedAt_ = sample.at;
        }
    }
    if (sample.rtt == Microseconds(0)) return;
    if (!minimumRtt_ || sample.rtt < *minimumRtt_) minimumRtt_ = sample.rtt;
    if (sample.rtt <= *minimumRtt_ + kNear) confirmedAt_ = sample.at;
}

void LinkMeter::followProbe(const LinkSample& sample) {
    if (probe_ == Probe::none) {
        if (!sample.held || !minimumRtt_ || confirmedAt_ + kRttWindow >= sample.at) return;
        probe_ = Probe::draining;
        probeBegan_ = sample.at;
        leastWhileProbing_ = sample.rtt;
        listensSince_.reset();
    }
    leastWhileProbing_ = std::min(leastWhileProbing_, sample.rtt);
    if (probe_ == Probe::draining && sample.outstanding == 0) {
        probe_ = Probe::listening;
        ackedWhenDrained_ = sample.acked;
    }
    if (probe_ == Probe::listening && listensSince_ && sample.acked > ackedWhenDrained_) {
        return endProbe(sample.at - *listensSince_, sample.at);
    }
    if (sample.at - probeBegan_ > kLongestProbe + sample.rtt) endProbe(leastWhileProbing_, sample.at);
}

void LinkMeter::endProbe(Microseconds measured, Monotonic now) {
    probe_ = Probe::none;
    confirmedAt_ = now;
    minimumRtt_ = kernelsLeast_ && measured <= *kernelsLeast_ + kProbeError ? *kernelsLeast_ : measured;
}

void LinkMeter::wrote(std::size_t bytes, Monotonic now) {
    queued_ = queuedAt(now) + static_cast<double>(bytes);
    queuedSince_ = now;
    if (probe_ == Probe::listening && !listensSince_) listensSince_ = now;
}

double LinkMeter::queuedAt(Monotonic now) const {
    return std::max(0.0, queued_ - kProbeGain * rate().value_or(0) * secondsOf(now - queuedSince_));
}

bool LinkMeter::hasRoom(std::size_t outstanding, Monotonic now) const {
    if (outstanding >= videoAllowance()) return false;
    if (!limitKnown() || outstanding < leastAllowance_) return true;
    return queuedAt(now) < bytesIn(kQueue);
}

Microseconds LinkMeter::timeToRoom(std::size_t outstanding, Monotonic now) const {
    const std::size_t allowance = videoAllowance();
    if (outstanding >= allowance) return timeToDrain(outstanding - allowance + 1);
    const double tooMuch = queuedAt(now) - bytesIn(kQueue);
    return timeToDrain(static_cast<std::size_t>(std::max(0.0, tooMuch)) + 1);
}

/// What the link carries in kQueue or kPart, or in what the round trip leaves of it.
double LinkMeter::bytesIn(Microseconds share) const {
    const double left = secondsOf(kAnswerWithin - minimumRtt_.value_or(Microseconds(0)));
    const double fits = std::clamp(left / secondsOf(kQueue + kPart), kLeastShare, 1.0);
    return rate().value_or(0) * secondsOf(share) * fits;
}

std::optional<double> LinkMeter::rate() const {
    if (rates_.empty()) return std::nullopt;
    return rates_.front().bytesPerSecond;
}

std::size_t LinkMeter::videoAllowance() const {
    if (probe_ == Probe::draining) return 0;
    const std::size_t least = std::max(leastAllowance_, limitKnown() ? partBytes() : kFirstAllowance);
    if (probe_ == Probe::listening) return least;
    const double flying = rate().value_or(0) * secondsOf(minimumRtt_.value_or(Microseconds(0)));
    return std::max(least, static_cast<std::size_t>(flying + bytesIn(kQueue)));
}

std::size_t LinkMeter::partBytes() const {
    const auto carried = static_cast<std::size_t>(bytesIn(kPart));
    const std::size_t least = limitKnown() ? kLeastPart : kFirstPart;
    return std::clamp(carried, least, kMostPart);
}

Microseconds LinkMeter::timeToDrain(std::size_t bytes) const {
    if (rates_.empty()) return Microseconds(0);
    const double seconds = static_cast<double>(bytes) / std::max(*rate(), 1.0);
    return std::min(kVeryLong, Microseconds(std::llround(seconds * 1e6)));
}

}  // namespace edgecam::uplink
