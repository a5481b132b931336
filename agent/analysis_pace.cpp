#include "agent/analysis_pace.hpp"

#include <algorithm>
#include <array>
#include <cmath>

#include "base/log.hpp"

namespace edgecam::agent {
namespace {

/// Of figures that come once a second: more work is believed within some 3 s, less within 10.
constexpr double kMoreWork = 0.3;
constexpr double kLessWork = 0.1;
/// How many are not acted upon, since a program that starts has much to do.
constexpr int kFirstLooks = 3;
constexpr double kDown = 0.5;
constexpr double kUp = 1.25;
/// Of the config's width and height.
constexpr std::array kParts{1.0, 0.75, 0.5, 0.375, 0.25};
constexpr int kShortestSide = 32;  // a detector's least
/// Cores: one thread looks for all cameras, and a bit of it is not spent on pictures.
constexpr double kOneThread = 0.95;
/// A change smaller than these is neither made nor told: each one is a line in logs and a word to every peer.
constexpr double kWorthLess = 0.9;
constexpr double kWorthMore = 1.2;

double smoothed(double before, double now) {
    return before + (now > before ? kMoreWork : kLessWork) * (now - before);
}

/// For people, and so that what trembles is the same.
double rounded(double rate) {
    const double steps = rate < 1 ? 100 : 10;
    return std::round(rate * steps) / steps;
}

long percent(double cores) {
    return std::lround(cores * 100);
}

}  // namespace

AnalysisPace::AnalysisPace(double wishedHz, Size wishedSize, double budget)
    : wishedHz_(wishedHz), budget_(budget), sizes_{wishedSize}, work_(wishedHz), rateHz_(wishedHz) {
    for (const double part : kParts) {
        const Size smaller{static_cast<int>(std::lround(wishedSize.width * part)),
                           static_cast<int>(std::lround(wishedSize.height * part))};
        const auto [shorter, longer] = std::minmax(smaller.width, smaller.height);
        if (longer < kLeastSide || shorter < kShortestSide) break;
        if (part < 1) sizes_.push_back(smaller);
    }
}

/// Of a picture of that size: a network's work is its pixels (a half of the width costs 0.26 of a picture's
/// time, three quarters 0.60). What it really costs is learnt once it is in force.
double AnalysisPace::workAt(std::size_t step) const {
    const auto pixels = [](Size size) { return static_cast<double>(size.width) * size.height; };
    return pixels(sizes_[step]) / pixels(sizes_.front());
}

double AnalysisPace::leastWork() const {
    return std::min(kLeastHz, wishedHz_) * workAt(sizes_.size() - 1);
}

/// The largest size at which people can be followed. A larger one than now needs some room, or it would be
/// left again at once.
std::size_t AnalysisPace::stepFor(double work) const {
    for (std::size_t step = 0; step + 1 < sizes_.size(); ++step) {
        const double enough = step < step_ ? kFollowsHz * kUp : kFollowsHz;
        if (work / workAt(step) >= std::min(enough, wishedHz_)) return step;
    }
    return sizes_.size() - 1;
}

void AnalysisPace::learn(const AnalysisLoad& load) {
    const bool starts = ++looks_ <= kFirstLooks;
    const double streaming = std::max(load.agent - load.analysis, 0.0);
    streaming_ = starts ? streaming : smoothed(streaming_, streaming);
    const double busy = (load.pictures + load.skipped) / rateHz_;
    busy_ = starts ? busy : smoothed(busy_, busy);
    if (load.pictures <= 0) return;
    const double cost = load.analysis / load.pictures / workAt(step_);
    perPicture_ = starts || perPicture_ <= 0 ? cost : smoothed(perPicture_, cost);
}

AnalysisPace::Limit AnalysisPace::ofBudget(const AnalysisLoad& load) const {
    if (budget_ <= 0 || looks_ <= kFirstLooks || perPicture_ <= 0 || load.cameras < 1) {
        return {wishedHz_, Cause::none};
    }
    return {std::max(budget_ - streaming_, 0.0) / (perPicture_ * load.cameras), Cause::budget};
}

/// Only the cameras that are busy count: where somebody comes before more of them, some pictures are skipped
/// for some seconds.
AnalysisPace::Limit AnalysisPace::ofThread() const {
    if (looks_ <= kFirstLooks || perPicture_ <= 0 || busy_ <= 0) return {wishedHz_, Cause::none};
    return {kOneThread / (perPicture_ * busy_), Cause::thread};
}

/// Down at once and by halves, up slowly: a box at its limit is not pushed over it every few seconds.
void AnalysisPace::step(const BoxPressure& box, Monotonic now) {
    const bool hot = !box.hot.empty();
    const bool waits = box.waiting.value_or(0) >= kWaitsTooMuch;
    const auto since = steppedAt_ ? now - *steppedAt_ : Microseconds::max();
    if (hot || waits) {
        pressure_ = hot ? Cause::heat : Cause::waiting;
        if (since < kStepDown) return;
        share_ = std::max(share_ * kDown, leastWork() / wishedHz_);
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
        case Cause::thread:
            return "the processor core that all cameras share for it is busy";
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
    const Limit limit = std::min({Limit{wishedHz_ * share_, pressure_}, ofBudget(load), ofThread()},
                                 [](const Limit& a, const Limit& b) { return a.work < b.work; });
    const double work = std::clamp(limit.work, leastWork(), wishedHz_);
    const bool whole = work >= wishedHz_;
    const auto since = changedAt_ ? now - *changedAt_ : Microseconds::max();
    const bool less = work < kWorthLess * work_ && since >= kStepDown;
    const bool more = work > work_ && (whole || work > kWorthMore * work_) && since >= kStepUp;
    if (!less && !more) return false;
    const std::size_t next = stepFor(work);
    const double rate = std::min(rounded(work / workAt(next)), wishedHz_);
    work_ = work;
    if (next == step_ && rate == rateHz_) return false;
    step_ = next;
    rateHz_ = rate;
    changedAt_ = now;
    reason_ = whole ? std::string() : told(limit.cause, box);
    return true;
}

}  // namespace edgecam::agent
