// DataPlan: how much of a metered link's month is used, and what may still go. It knows no socket, no file
// and no message; times and counts are handed in.
#pragma once

#include <chrono>
#include <cstdint>
#include <mutex>
#include <optional>

#include "base/clock.hpp"
#include "uplink/trusted_time.hpp"

namespace edgecam::uplink {

enum class PlanState {
    within,      ///< everything goes
    keyFrames,   ///< the month's bytes are used: of video key frames only, and few
    eventsOnly,  ///< DataPlan::kFurtherPercent more are used: no video, no pictures; events and answers go on
};
/// The wire's word, e.g. "key_frames".
const char* nameOf(PlanState state);

/// A plan at one moment, for statuses, metrics and sessions.
struct PlanFigures {
    std::uint64_t monthlyBytes = 0;
    std::uint64_t usedBytes = 0;  ///< in this month, and at times that were not known
    PlanState state = PlanState::within;
    std::optional<Utc> until;  ///< when the month turns; nothing: the time was not learnt since the start
};

/// What of a plan must outlive a restart.
struct PlanRecord {
    struct Month {
        std::chrono::year_month month;
        std::uint64_t bytes = 0;
        bool operator==(const Month&) const = default;
    };
    std::optional<Month> month;    ///< nothing: the time was never known
    std::uint64_t undated = 0;     ///< bytes since then, at a time that is not known
    std::optional<Month> earlier;  ///< the last one before it: a clock may go back there
    bool operator==(const PlanRecord&) const = default;
};

/// Thread-safe (a short lock): all connections of an uplink count into its plan.
///
/// Counted are payload bytes of TCP in both directions, TLS and the handshakes included: what connections
/// handed to the kernel and took from it. Not counted are the heads of TCP/IP packets and retransmissions (of
/// video some 4 %, of many small messages more, and of a bad radio anything), DNS, tries that reached no
/// hub, and what other programs send over the same link. A provider's own count is higher: leave it room.
///
/// Months are those of UTC, by TrustedTime. What is counted before the time is known belongs to the month
/// that is found then, and until then to the last known one. A clock that goes back to an earlier month was
/// ahead: what was counted meanwhile goes back with it. So a wrong clock may end a month late, but gives
/// nobody a month for nothing, unless it is wrong by a month, said to be synced, and right again only after
/// the next month began.
class DataPlan {
  public:
    /// Of the plan, used up by key frames before video ends altogether.
    static constexpr std::uint64_t kFurtherPercent = 10;
    /// More than any link carries in a month, and what a message may hold.
    static constexpr std::uint64_t kMostBytes = std::uint64_t{1} << 53;

    /// `monthlyBytes`: up to kMostBytes / 2. `kept`: what record() gave before a restart.
    explicit DataPlan(std::uint64_t monthlyBytes, const PlanRecord& kept = {});

    void count(std::uint64_t bytes);
    /// The wall clock was said to be synced, and showed `wall` at `at`.
    void synced(Utc wall, Monotonic at);
    /// Lets the month turn. About once a second.
    void look(Monotonic now);

    [[nodiscard]] PlanFigures figures() const;
    [[nodiscard]] PlanRecord record() const;

  private:
    void enter(std::chrono::year_month month);

    const std::uint64_t monthlyBytes_;
    mutable std::mutex mutex_;
    TrustedTime time_;
    PlanRecord record_;
    std::optional<Utc> until_;
};

}  // namespace edgecam::uplink
