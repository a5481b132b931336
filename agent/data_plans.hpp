// DataPlans: the plans of the metered uplinks over the life of a box: tells them the time, keeps what is used
// on disk, and says when one's state changes. Main thread; it knows no socket and no message.
#pragma once

#include <future>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "agent/config.hpp"
#include "agent/data_dir.hpp"
#include "base/clock.hpp"
#include "base/result.hpp"
#include "uplink/data_plan.hpp"

namespace edgecam::agent {

class DataPlans {
  public:
    /// How often what was counted is written, at most: so much is not remembered after a power cut.
    static constexpr Microseconds kWriteInterval = std::chrono::minutes(1);

    /// Reads the file. What it has of uplinks that are not metered (any more) is forgotten with the next
    /// write. `clock` must outlive it.
    DataPlans(const std::vector<UplinkConfig>& uplinks, const DataDir& dataDir, const Clock& clock);
    /// Writes what is new: after the connections have ended.
    ~DataPlans();
    DataPlans(const DataPlans&) = delete;
    DataPlans& operator=(const DataPlans&) = delete;

    /// For an uplink that is dialled from now on: no-op where it is not metered. It goes on from what was
    /// used of it in this month, by whatever limit.
    void begin(const UplinkConfig& hub);
    /// After its connections have ended.
    void end(const std::string& uplink);
    /// Null: that uplink is not metered. Valid until end().
    [[nodiscard]] uplink::DataPlan* of(const std::string& uplink);
    /// About once a second. Does not wait for the disk, which is written by a thread of its own: at once
    /// after the start (a box that crashes every minute would count nothing else) and when a state changed,
    /// else in kWriteInterval.
    void look();
    [[nodiscard]] std::map<std::string, uplink::PlanFigures> figures() const;
    /// Waits for the disk, if it is being written.
    void finishWriting();

  private:
    using Records = std::map<std::string, uplink::PlanRecord>;
    [[nodiscard]] Records records() const;
    void tellTime();
    bool statesChanged();
    void write();
    void settleWrite();

    DataDir dataDir_;
    const Clock& clock_;
    std::map<std::string, uplink::DataPlan> plans_;
    std::map<std::string, uplink::PlanState> told_;
    Records kept_;   ///< as they are on disk, or on their way there
    Records ended_;  ///< of uplinks that may come back
    bool loaded_ = false;
    std::optional<Monotonic> wroteAt_;
    bool soon_ = false;  ///< a state changed since
    std::future<Result<void>> writing_;
};

}  // namespace edgecam::agent
