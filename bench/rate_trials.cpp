#include "bench/rate_trials.hpp"

#include <algorithm>

#include "bench/rate_rivals.hpp"

namespace edgecam::bench {
namespace {

using namespace std::chrono_literals;

constexpr double kLow = 1e6;
constexpr double kHigh = 5e6;

class Ours final : public RateRule {
  public:
    Ours(int mostKbps, const uplink::RateTuning& tuning, bool holdsPicturesBack)
        : controller_({.mostKbps = mostKbps}, tuning), holdsPicturesBack_(holdsPicturesBack) {}
    uplink::RateDecision tick(const uplink::RateSample& sample) override { return controller_.tick(sample); }
    bool takesPicture(Monotonic now, std::size_t queued) override {
        return !holdsPicturesBack_ || controller_.takesPicture(now, queued);
    }

  private:
    uplink::RateController controller_;
    const bool holdsPicturesBack_;
};

/// How much of what ours does comes from the pictures alone.
class AimdHoldingBack final : public RateRule {
  public:
    explicit AimdHoldingBack(const Trial& trial)
        : aimd_(plainAimd(trial)), controller_({.mostKbps = trial.camera.mostKbps}) {}
    uplink::RateDecision tick(const uplink::RateSample& sample) override {
        controller_.tick(sample);
        return aimd_->tick(sample);
    }
    bool takesPicture(Monotonic now, std::size_t queued) override {
        return controller_.takesPicture(now, queued);
    }

  private:
    std::unique_ptr<RateRule> aimd_;
    uplink::RateController controller_;
};

void addSteady(StepFigures& into, const Trial& trial, const Outcome& outcome, Span span) {
    const Figures figures = figuresOf(trial, outcome, span);
    into.steadyUse = std::min(into.steadyUse, figures.use);
    const Microseconds noQueue = trial.rtt / 2 + trial.camera.encodeTime;
    into.steadyP95 = std::max(into.steadyP95, figures.p95 - static_cast<double>(noQueue.count()) / 1e3);
}

}  // namespace

RuleMaker ourController(bool holdsPicturesBack, const uplink::RateTuning& tuning) {
    return [=](const Trial& trial) {
        return std::make_unique<Ours>(trial.camera.mostKbps, tuning, holdsPicturesBack);
    };
}

uplink::RateTuning patient() {
    uplink::RateTuning tuning;
    tuning.pictureWait = 140ms;
    return tuning;
}

std::vector<Contender> contenders() {
    return {{"ours", ourController()},
            {"ours, no picture held back", ourController(false)},
            {"ours, patient", ourController(true, patient())},
            {"AIMD", plainAimd},
            {"AIMD, pictures held back",
             [](const Trial& trial) { return std::make_unique<AimdHoldingBack>(trial); }},
            {"OBS", obsRule},
            {"oracle", oracle}};
}

StepFigures stepFigures(const RuleMaker& make, Microseconds rtt, unsigned seed) {
    StepFigures figures;
    const Microseconds stepAt = 30s + seed * 137ms;
    const Span before{15s, 29s};
    const Span after{45s, 59s};
    for (const bool down : {true, false}) {
        const auto link = steppedLink(down ? "5 to 1 Mbit/s" : "1 to 5 Mbit/s",
                                      {{0s, down ? kHigh : kLow}, {stepAt, down ? kLow : kHigh}}, 60s);
        const Trial trial{.link = link, .rtt = rtt, .seed = seed, .camera = {.mostKbps = 6000}};
        const auto rule = make(trial);
        const Outcome outcome = simulate(trial, *rule);
        figures.undecodable += outcome.undecodable;
        addSteady(figures, trial, outcome, before);
        addSteady(figures, trial, outcome, after);
        if (down) {
            figures.secondsToCalm = secondsUntilUnder(outcome, stepAt, 200);
            figures.worstDelay = std::ranges::max(delaysOf(outcome, {stepAt - 1s, stepAt + 15s}));
        } else {
            figures.secondsToEighty = secondsUntilRate(outcome, stepAt, 0.8 * kHigh / 1000);
        }
    }
    return figures;
}

TraceFigures traceFigures(const RuleMaker& make, const LinkProfile& link, Microseconds rtt, unsigned seed) {
    const Trial trial{.link = link, .rtt = rtt, .seed = seed, .camera = {}};
    const auto rule = make(trial);
    const Outcome outcome = simulate(trial, *rule);
    return {figuresOf(trial, outcome, {0s, link.length()}), outcome.undecodable};
}

}  // namespace edgecam::bench
