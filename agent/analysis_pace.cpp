#include "agent/analysis_pace.hpp"

#include <algorithm>
#include <cmath>

#include "base/log.hpp"

namespace edgecam::agent {
namespace {

/// Of figures that come once a second: smooths over some 5 s.
constexpr double kNews = 0.2;
constexpr double kDown = 0.5;
constexpr double kUp = 1.25;
/// A change smaller than this is neither made nor told: each one is a line in logs and a word to every peer.
constexpr double kWorthIt = 0.1;

double smoothed(double before, double now) {
    return before + kNews * (now - before);
}

long percent(double cores) {
    return std::lround(cores * 100);
}

}  // namespace

double AnalysisPace::leastHz() const {
    return std::min(kLeastHz, wishedHz_);
}

void AnalysisPace::learn(const AnalysisLoad& load) {
    const double streaming = std::max(load.agent - load.analysis, 0.0);
    streaming_ = learnt_ ? smoothed(streaming_, streaming) : streaming;
    learnt_ = true;
    if (load.pictures <= 0) return;
    const double cost = load.analysis / load.pictures;
    perPicture_ = perPicture_ > 0 ? smoothed(perPicture_, cost) : cost;
}

double AnalysisPace::withinBudget(const AnalysisLoad& load) const {
    if (budget_ <= 0 || perPicture_ <= 0 || load.cameras < 1) return wishedHz_;
    return std::max(budget_ - streaming_, 0.0) / (perPicture_ * load.cameras);
}

/// Down at once and by halves, up slowly: a box at its limit is not pushed over it every few seconds.
void AnalysisPace::step(const BoxPressure& box, Monotonic now) {
    const bool hot = !box.hot.empty();
    const bool waits = box.waiting.value_or(0) >= kWaitsTooMuch;
    const auto since = steppedAt_ ? now - *steppedAt_ : Microseconds::max();
    if (hot || waits) {
        pressure_ = hot ? Cause::heat : Cause::waiting;
        if (since < kStepDown) return;
        share_ = std::max(share_ * kDown, leastHz() / wishedHz_);
        steppedAt_ = now;
    } else if (share_ < 1 && box.waiting.value_or(0) <= kWaitsLittle && since >= kStepUp) {
        share_ = std::min(share_ * kUp, 1.0);
        steppedAt_ = now;
    }
    if (share_ >= 1) pressure_ = Cause::none;
}

std::string AnalysisPace::told(Cause cause, const BoxPressure& box) const {
    switch (cause) {
        case Cause::none:
            return {};
        case Cause::budget:
            return concat("video takes ", percent(streaming_), " % of a processor core, of the ",
                          percent(budget_), " % that the config gives the agent");
        case Cause::heat:
            return box.hot.empty() ? "the box was too hot and has not been cool for long" : box.hot;
        case Cause::waiting:
            return "the agent's threads wait for a processor: the box has too much to do";
    }
    return {};
}

bool AnalysisPace::look(const AnalysisLoad& load, const BoxPressure& box, Monotonic now) {
    learn(load);
    step(box, now);
    const double budgeted = withinBudget(load);
    const double pressed = wishedHz_ * share_;
    const double allowed = std::clamp(std::min(budgeted, pressed), leastHz(), wishedHz_);
    const bool back = allowed >= wishedHz_ && rateHz_ < wishedHz_;
    if (!back && std::abs(allowed - rateHz_) <= kWorthIt * rateHz_) return false;
    rateHz_ = allowed;
    reason_ = back ? std::string() : told(budgeted < pressed ? Cause::budget : pressure_, box);
    return true;
}

}  // namespace edgecam::agent
