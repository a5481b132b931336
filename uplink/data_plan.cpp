#include "uplink/data_plan.hpp"

#include <algorithm>
#include <utility>

namespace edgecam::uplink {
namespace {

using std::chrono::year_month;

year_month monthOf(Utc time) {
    const std::chrono::year_month_day day(std::chrono::floor<std::chrono::days>(time));
    return {day.year(), day.month()};
}

Utc beginOf(year_month month) {
    return std::chrono::sys_days(month / 1);
}

std::uint64_t sum(std::uint64_t a, std::uint64_t b) {
    return std::min(DataPlan::kMostBytes, a + std::min(b, DataPlan::kMostBytes));
}

}  // namespace

const char* nameOf(PlanState state) {
    switch (state) {
        case PlanState::within:
            return "within";
        case PlanState::keyFrames:
            return "key_frames";
        case PlanState::eventsOnly:
            return "events_only";
    }
    return "within";
}

DataPlan::DataPlan(std::uint64_t monthlyBytes, const PlanRecord& kept)
    : monthlyBytes_(monthlyBytes), record_(kept) {}

void DataPlan::count(std::uint64_t bytes) {
    const std::lock_guard lock(mutex_);
    std::uint64_t& to = until_ ? record_.month->bytes : record_.undated;
    to = sum(to, bytes);
}

void DataPlan::synced(Utc wall, Monotonic at) {
    const std::lock_guard lock(mutex_);
    time_.synced(wall, at);
}

void DataPlan::look(Monotonic now) {
    const std::lock_guard lock(mutex_);
    const auto time = time_.now(now);
    if (!time) return;
    const year_month month = monthOf(*time);
    if (!until_ || month != record_.month->month) enter(month);
}

void DataPlan::enter(year_month month) {
    std::uint64_t bytes = std::exchange(record_.undated, 0);
    if (record_.month && record_.month->month < month) {
        record_.earlier = record_.month;
    } else if (record_.month) {
        bytes = sum(bytes, record_.month->bytes);
        if (record_.earlier && record_.earlier->month >= month) {
            bytes = sum(bytes, record_.earlier->bytes);
            record_.earlier.reset();
        }
    }
    record_.month = PlanRecord::Month{month, bytes};
    until_ = beginOf(month + std::chrono::months(1));
}

PlanFigures DataPlan::figures() const {
    const std::lock_guard lock(mutex_);
    const std::uint64_t used = sum(record_.month ? record_.month->bytes : 0, record_.undated);
    const std::uint64_t further = monthlyBytes_ * kFurtherPercent / 100;
    const PlanState state = used > monthlyBytes_ + further ? PlanState::eventsOnly
                            : used > monthlyBytes_         ? PlanState::keyFrames
                                                           : PlanState::within;
    return {.monthlyBytes = monthlyBytes_, .usedBytes = used, .state = state, .until = until_};
}

PlanRecord DataPlan::record() const {
    const std::lock_guard lock(mutex_);
    return record_;
}

}  // namespace edgecam::uplink
