#include "bench/rate_rivals.hpp"

#include <algorithm>
#include <deque>

namespace edgecam::bench {
namespace {

using uplink::RateDecision;
using uplink::RateSample;
using uplink::RateState;
using namespace std::chrono_literals;

constexpr int kLeastKbps = 100;
constexpr int kFirstKbps = 500;

class PlainAimd final : public RateRule {
  public:
    explicit PlainAimd(int mostKbps) : mostKbps_(mostKbps) {}
    RateDecision tick(const RateSample& sample) override {
        const bool old = sample.sojourn + sample.queueDelay > 150ms;
        if (!old) {
            kbps_ = std::min(kbps_ + 10, mostKbps_);
        } else if (sample.at >= lastCut_ + 1s) {
            kbps_ = std::max(kbps_ / 2, kLeastKbps);
            lastCut_ = sample.at;
        }
        return {.kbps = kbps_, .state = old ? RateState::cut : RateState::probe};
    }

  private:
    const int mostKbps_;
    int kbps_ = kFirstKbps;
    Monotonic lastCut_;
};

class Oracle final : public RateRule {
  public:
    explicit Oracle(const Trial& trial) : trial_(trial) {}
    RateDecision tick(const RateSample& sample) override {
        if (!began_) began_ = sample.at;
        const Microseconds time = sample.at - *began_;
        const double carried = trial_.link.usable({time, time + 1s}, 1'000'000);
        const double queued = static_cast<double>(sample.waiting + sample.outstanding);
        const int kbps = static_cast<int>((carried - queued) * 8 / 1000);
        return {.kbps = std::clamp(kbps, kLeastKbps, trial_.camera.mostKbps), .state = RateState::hold};
    }

  private:
    const Trial& trial_;
    std::optional<Monotonic> began_;
};

class ObsRule final : public RateRule {
  public:
    explicit ObsRule(int mostKbps) : mostKbps_(mostKbps) {}
    RateDecision tick(const RateSample& sample) override {
        seen_.push_back(sample);
        while (seen_.size() > 11) seen_.pop_front();
        const bool congested = sample.sojourn >= 200ms;
        if (congested && !wasCongested_) {
            const double seconds = static_cast<double>((sample.at - seen_.front().at).count()) / 1e6;
            const auto carried = static_cast<double>(sample.acked - seen_.front().acked) * 8 / 1000;
            const int measured = seconds > 0 ? static_cast<int>(carried / seconds) / 100 * 100 : kbps_;
            const bool relapsed = sample.at < lastRaise_ + 4s && beforeRaise_ > 0;
            kbps_ = std::max(50, std::min(kbps_, relapsed ? std::min(beforeRaise_, measured) : measured));
            raiseAt_ = sample.at + (relapsed ? 30s : 4s);
        } else if (!congested && sample.at >= raiseAt_ && kbps_ < mostKbps_) {
            beforeRaise_ = kbps_;
            kbps_ = std::min(kbps_ + mostKbps_ / 10, mostKbps_);
            lastRaise_ = sample.at;
            raiseAt_ = sample.at + 4s;
        }
        wasCongested_ = congested;
        return {.kbps = kbps_, .state = RateState::hold};
    }

  private:
    const int mostKbps_;
    int kbps_ = kFirstKbps;
    int beforeRaise_ = 0;
    bool wasCongested_ = false;
    std::deque<RateSample> seen_;
    Monotonic lastRaise_;
    Monotonic raiseAt_;
};

}  // namespace

std::unique_ptr<RateRule> plainAimd(const Trial& trial) {
    return std::make_unique<PlainAimd>(trial.camera.mostKbps);
}

std::unique_ptr<RateRule> oracle(const Trial& trial) {
    return std::make_unique<Oracle>(trial);
}

std::unique_ptr<RateRule> obsRule(const Trial& trial) {
    return std::make_unique<ObsRule>(trial.camera.mostKbps);
}

}  // namespace edgecam::bench
