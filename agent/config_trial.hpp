// ConfigTrial: whether a config that was applied from afar stays or the one before it returns. Pure: it is
// told what happens and when, and says what is to be done; it knows no config and no file.
#pragma once

#include <map>
#include <optional>
#include <string>

#include "base/clock.hpp"

namespace edgecam::agent {

class ConfigTrial {
  public:
    enum class Verdict {
        none,    ///< no trial, or it goes on
        keep,    ///< it has shown that it works: write it down, then end()
        revert,  ///< its time is over: bring the old one back, then end()
    };

    /// Begins one. `liveUplinks`: by id, those that are live at this moment; they prove nothing by staying
    /// so.
    void begin(Monotonic now, Microseconds length, std::map<std::string, bool> liveUplinks);
    /// Somebody who may says that it works.
    void confirm(std::string by);
    /// Where an uplink stood at `when`, in the order of its changes; news of before begin() may come late.
    /// One that was not live and is now has reached its hub with the new config.
    void uplinkSeen(const std::string& id, bool live, Monotonic when);
    /// Of the one that runs: what to do now. `keep` is said until end(), and no longer than the trial lasts:
    /// what could not be written until then is given up.
    [[nodiscard]] Verdict look(Monotonic now) const;
    /// Whatever became of it, it is over.
    void end() { until_.reset(); }

    [[nodiscard]] bool running() const { return until_.has_value(); }
    /// Of the one that runs, never negative.
    [[nodiscard]] Microseconds left(Monotonic now) const;
    /// Who or what has shown that it works; empty: nothing yet.
    [[nodiscard]] const std::string& provedBy() const { return provedBy_; }

  private:
    Monotonic begunAt_;
    std::optional<Monotonic> until_;  ///< nothing: no trial
    std::map<std::string, bool> live_;
    std::string provedBy_;
};

}  // namespace edgecam::agent
