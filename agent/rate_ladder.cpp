#include "agent/rate_ladder.hpp"

#include <algorithm>
#include <array>
#include <cmath>

#include "capture/encoder.hpp"

namespace edgecam::agent {
namespace {

using capture::EncoderSettings;

struct Rung {
    double scale;  ///< of width and height
    double rate;   ///< share of the pictures
    double most;   ///< pictures a second; 0: as many as there are
};

// Motion first: a face in ten pictures a second is found, one of 40 pixels is not.
constexpr std::array kRungs{
    Rung{1, 1, 0},       Rung{1, 0.5, 0},       Rung{0.75, 0.5, 0}, Rung{0.5, 0.5, 0},
    Rung{0.5, 0.334, 0}, Rung{0.334, 0.334, 0}, Rung{0.25, 0.2, 0}, Rung{0.25, 1, 0.5},
};
constexpr double kAssumedRate = 30;
constexpr Size kAssumedSize{1280, 720};
constexpr double kSpare = 1.1;

EncoderSettings settingsAt(const LadderTop& top, std::size_t rung) {
    const Size source = top.source.empty() ? kAssumedSize : top.source;
    const double sourceRate = top.sourceRate > 0 ? top.sourceRate : kAssumedRate;
    EncoderSettings settings = top.settings;
    if (rung == 0) return settings;
    const Size whole = capture::fittedSize(source, top.settings.size);
    const double wholeRate =
        top.settings.frameRate > 0 ? std::min(top.settings.frameRate, sourceRate) : sourceRate;
    const Rung& step = kRungs[rung];
    const auto scaled = [&](int length) {
        return std::max(64, static_cast<int>(length * step.scale) / 2 * 2);
    };
    if (step.scale < 1) settings.size = {scaled(whole.width), scaled(whole.height)};
    settings.frameRate = wholeRate * step.rate;
    if (step.most > 0) settings.frameRate = std::min(settings.frameRate, step.most);
    return settings;
}

/// What pictures of this rung need at least.
double needOf(const LadderTop& top, std::size_t rung) {
    if (rung + 1 == kRungs.size()) return 0;
    const EncoderSettings settings = settingsAt(top, rung);
    const Size source = top.source.empty() ? kAssumedSize : top.source;
    const Size size = capture::fittedSize(source, settings.size);
    const double sourceRate = top.sourceRate > 0 ? top.sourceRate : kAssumedRate;
    const double rate = settings.frameRate > 0 ? std::min(settings.frameRate, sourceRate) : sourceRate;
    const double kbps = static_cast<double>(size.width) * size.height * rate * RateLadder::kLeastBits / 1000;
    // Who configured less wants less.
    return rung == 0 ? std::min(kbps, 0.5 * top.settings.bitrateKbps) : kbps;
}

int stepped(int kbps) {
    constexpr double kStep = 1.03;
    return static_cast<int>(std::pow(kStep, std::floor(std::log(kbps) / std::log(kStep))));
}

/// Whether something has been so for a time.
bool lasts(bool is, std::optional<Monotonic>& since, Microseconds span, Monotonic now) {
    if (!is) {
        since.reset();
        return false;
    }
    if (!since) since = now;
    return now - *since >= span;
}

}  // namespace

EncoderSettings RateLadder::fit(const LadderTop& top, int kbps, Monotonic now) {
    const int bounded =
        std::clamp(kbps, std::min(top.leastKbps, top.settings.bitrateKbps), top.settings.bitrateKbps);
    if (bounded < top.settings.bitrateKbps) whole_ = false;
    if (lasts(bounded < needOf(top, rung_), lowerSince_, kDownAfter, now)) {
        lowerSince_.reset();
        while (rung_ + 1 < kRungs.size() && bounded < needOf(top, rung_)) ++rung_;
    }
    const bool higher = rung_ > 0 ? bounded >= kSpare * needOf(top, rung_ - 1)
                                  : !whole_ && bounded == top.settings.bitrateKbps;
    if (lasts(higher, higherSince_, kUpAfter, now)) {
        higherSince_.reset();
        if (rung_ == 0) whole_ = true;
        if (rung_ > 0) --rung_;
    }
    EncoderSettings settings = settingsAt(top, rung_);
    // One below what others may share: not theirs, until it is known to last.
    if (!whole_) settings.bitrateKbps = std::max(1, std::min(stepped(bounded), top.settings.bitrateKbps - 1));
    return settings;
}

}  // namespace edgecam::agent
