// AnalysisPace: how often the cameras are looked at, and in how large pictures, where there is not enough of
// the box for everything. Video comes first: what it leaves of a budget of processor time is the analysis's,
// and a box that is hot or whose threads wait for a processor is looked at less before anything else is done.
// Pure: it is told figures and the time, it knows no camera and reads no file.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.hpp"
#include "base/geometry.hpp"

namespace edgecam::agent {

/// What the agent has used since the last figures, in seconds of processor time a second: 1 is one core.
struct AnalysisLoad {
    double agent = 0;     ///< all of it
    double analysis = 0;  ///< of that, by those who look
    double pictures = 0;  ///< looked through a second, of all cameras together
    double skipped = 0;   ///< a second, since the thread that looks was not there in time
    int cameras = 0;      ///< that are looked at, if only to see that nothing moves
};

/// How the box is.
struct BoxPressure {
    /// The share of time in which some thread waited for a processor (Linux PSI, "some", of the last 10 s),
    /// 0..1; nothing where the kernel does not say.
    std::optional<double> waiting;
    std::string hot;  ///< which zone is how hot, as "cpu-thermal is at 86 °C"; empty: none is too hot
};

/// The pictures are first fewer, down to kFollowsHz, then smaller, by steps to three quarters, a half, three
/// eighths and a quarter of the config's width and height, and then fewer again. The order is measured: see
/// docs/benchmarks.md for what rate and size do to who is followed. Where there is room again, they are
/// larger first.
class AnalysisPace {
  public:
    /// Slower than this nobody is looked at: faces still come and go, if late.
    static constexpr double kLeastHz = 0.2;
    /// With fewer pictures a second people are lost between two of them; half as many lose a fifth of all
    /// sights, pictures of half the width a twentieth.
    static constexpr double kFollowsHz = 4;
    /// Pictures whose longer side is shorter, pixels, are not made: too few faces are found in them.
    static constexpr int kLeastSide = 320;
    /// From here on threads wait too much, and up to there so little that more can be tried.
    static constexpr double kWaitsTooMuch = 0.5;
    static constexpr double kWaitsLittle = 0.25;
    /// Between two changes, at least. The kernel's figure is of 10 s, and a box takes as long to cool: what
    /// was done is given time to show.
    static constexpr Microseconds kStepDown = std::chrono::seconds(5);
    static constexpr Microseconds kStepUp = std::chrono::seconds(10);

    /// `wishedHz`, `wishedSize`: what the config asks of each camera (> 0). `budget`: processor time for the
    /// whole agent, in cores, which is kept should somebody come before all cameras at once; 0: no limit but
    /// that one thread looks through all of them, see VisionThread.
    AnalysisPace(double wishedHz, Size wishedSize, double budget);

    /// About once a second. True: rateHz() has changed by enough to be told, or size().
    bool look(const AnalysisLoad& load, const BoxPressure& box, Monotonic now);

    /// Pictures a second and camera: wishedHz, or less.
    [[nodiscard]] double rateHz() const { return rateHz_; }
    /// What pictures are fitted into: wishedSize, or smaller.
    [[nodiscard]] Size size() const { return sizes_[step_]; }
    /// Why one of them is less, a sentence; empty: none is.
    [[nodiscard]] const std::string& reason() const { return reason_; }

  private:
    enum class Cause { none, budget, thread, heat, waiting };
    struct Limit {
        double work;
        Cause cause;
    };

    [[nodiscard]] double workAt(std::size_t step) const;
    [[nodiscard]] double leastWork() const;
    [[nodiscard]] std::size_t stepFor(double work) const;
    void learn(const AnalysisLoad& load);
    [[nodiscard]] Limit ofBudget(const AnalysisLoad& load) const;
    [[nodiscard]] Limit ofThread() const;
    void step(const BoxPressure& box, Monotonic now);
    [[nodiscard]] std::string told(Cause cause, const BoxPressure& box) const;

    // Work is counted in pictures of the wished size, a second and camera.

    double wishedHz_;
    double budget_;
    std::vector<Size> sizes_;  ///< the wished one and smaller ones
    std::size_t step_ = 0;     ///< which of them is in force
    double work_;              ///< that is thought to be had; what is in force may be less, by what is wished
    double rateHz_;
    std::string reason_;

    double streaming_ = 0;   ///< cores that all but the analysis takes, over some seconds
    double busy_ = 0;        ///< cameras of whose pictures all are looked through, as if it were those only
    double perPicture_ = 0;  ///< seconds of processor time, of the wished size; 0: none was looked at yet
    int looks_ = 0;

    double share_ = 1;  ///< of the wish, as the box's heat and waiting let it be
    Cause pressure_ = Cause::none;
    std::optional<Monotonic> steppedAt_;
    std::optional<Monotonic> changedAt_;
};

}  // namespace edgecam::agent
