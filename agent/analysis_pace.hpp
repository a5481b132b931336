// AnalysisPace: how often the cameras are looked at, where there is not enough of the box for everything.
// Video comes first: what it leaves of a budget of processor time is the analysis's, and a box that is hot or
// whose threads wait for a processor is looked at more seldom before anything else is done. Pure: it is told
// figures and the time, it knows no camera and reads no file.
#pragma once

#include <optional>
#include <string>

#include "base/clock.hpp"

namespace edgecam::agent {

/// What the agent has used since the last figures, in seconds of processor time a second: 1 is one core.
struct AnalysisLoad {
    double agent = 0;     ///< all of it
    double analysis = 0;  ///< of that, by those who look
    double pictures = 0;  ///< looked at a second, by all cameras together
    int cameras = 0;      ///< that are looked at
};

/// How the box is.
struct BoxPressure {
    /// The share of time in which some thread waited for a processor (Linux PSI, "some", of the last 10 s),
    /// 0..1; nothing where the kernel does not say.
    std::optional<double> waiting;
    std::string hot;  ///< which zone is how hot, as "cpu-thermal is at 86 °C"; empty: none is too hot
};

class AnalysisPace {
  public:
    /// Slower than this nobody is looked at: faces still come and go, if late.
    static constexpr double kLeastHz = 0.2;
    /// From here on threads wait too much, and up to there so little that more can be tried.
    static constexpr double kWaitsTooMuch = 0.5;
    static constexpr double kWaitsLittle = 0.25;
    /// The kernel's figure is of 10 s, and a box takes as long to cool: what was done is given time to show.
    static constexpr Microseconds kStepDown = std::chrono::seconds(5);
    static constexpr Microseconds kStepUp = std::chrono::seconds(10);

    /// `wishedHz`: what the config asks of each camera (> 0). `budget`: processor time for the whole agent,
    /// in cores; 0: no limit.
    AnalysisPace(double wishedHz, double budget) : wishedHz_(wishedHz), budget_(budget), rateHz_(wishedHz) {}

    /// About once a second. True: rateHz() has changed, by enough to be told.
    bool look(const AnalysisLoad& load, const BoxPressure& box, Monotonic now);

    /// Pictures a second and camera: wishedHz, or less.
    [[nodiscard]] double rateHz() const { return rateHz_; }
    /// Why it is less, a sentence; empty: it is not.
    [[nodiscard]] const std::string& reason() const { return reason_; }

  private:
    enum class Cause { none, budget, heat, waiting };

    [[nodiscard]] double leastHz() const;
    void learn(const AnalysisLoad& load);
    [[nodiscard]] double withinBudget(const AnalysisLoad& load) const;
    void step(const BoxPressure& box, Monotonic now);
    [[nodiscard]] std::string told(Cause cause, const BoxPressure& box) const;

    double wishedHz_;
    double budget_;
    double rateHz_;
    std::string reason_;

    double streaming_ = 0;   ///< cores that all but the analysis takes, over some seconds
    double perPicture_ = 0;  ///< seconds of processor time; 0: none was looked at yet
    bool learnt_ = false;

    double share_ = 1;  ///< of the wish, as the box's heat and waiting let it be
    Cause pressure_ = Cause::none;
    std::optional<Monotonic> steppedAt_;
};

}  // namespace edgecam::agent
