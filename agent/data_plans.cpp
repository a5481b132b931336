#include "agent/data_plans.hpp"

#include <algorithm>
#include <utility>

#include "base/log.hpp"

namespace edgecam::agent {
namespace {

/// For the log, e.g. "3.2 of 100 MB".
std::string useOf(const uplink::PlanFigures& plan) {
    const std::uint64_t tenths = plan.usedBytes / 100'000;
    return concat(tenths / 10, ".", tenths % 10, " of ", plan.monthlyBytes / 1'000'000, " MB");
}

void tell(const std::string& name, const uplink::PlanFigures& plan) {
    const auto head = concat(name, ": ", useOf(plan), " of this month's data plan are used: ");
    switch (plan.state) {
        case uplink::PlanState::within:
            return logInfo("uplink", head, "video flows again");
        case uplink::PlanState::keyFrames:
            return logWarning("uplink", head, "of video only key frames are sent, and few");
        case uplink::PlanState::eventsOnly:
            return logWarning("uplink", head, "no video is sent any more, only events");
    }
}

}  // namespace

DataPlans::DataPlans(const std::vector<UplinkConfig>& uplinks, const DataDir& dataDir, const Clock& clock)
    : dataDir_(dataDir), clock_(clock) {
    for (const UplinkConfig& hub : uplinks) begin(hub);
}

void DataPlans::begin(const UplinkConfig& hub) {
    if (hub.monthlyBytes == 0) return;
    if (!std::exchange(loaded_, true)) {
        kept_ = dataDir_.usedPlans();
        ended_ = kept_;
    }
    plans_.try_emplace(hub.name, hub.monthlyBytes, ended_[hub.name]);
    kept_.try_emplace(hub.name);
    // Before it is dialled: a plan may have been used up last month.
    tellTime();
}

void DataPlans::end(const std::string& uplink) {
    const auto found = plans_.find(uplink);
    if (found == plans_.end()) return;
    ended_[uplink] = found->second.record();
    plans_.erase(found);
    told_.erase(uplink);
}

DataPlans::~DataPlans() {
    finishWriting();
    soon_ = true;
    write();
    finishWriting();
}

uplink::DataPlan* DataPlans::of(const std::string& uplink) {
    const auto found = plans_.find(uplink);
    return found == plans_.end() ? nullptr : &found->second;
}

void DataPlans::look() {
    tellTime();
    soon_ = statesChanged() || soon_;
    write();
}

void DataPlans::tellTime() {
    const Monotonic now = clock_.monotonic();
    const bool synced = !plans_.empty() && clock_.synced();
    for (auto& [name, plan] : plans_) {
        if (synced) plan.synced(clock_.utc(), now);
        plan.look(now);
    }
}

bool DataPlans::statesChanged() {
    bool changed = false;
    for (const auto& [name, plan] : figures()) {
        if (std::exchange(told_[name], plan.state) == plan.state) continue;
        tell(name, plan);
        changed = true;
    }
    return changed;
}

std::map<std::string, uplink::PlanFigures> DataPlans::figures() const {
    std::map<std::string, uplink::PlanFigures> figures;
    for (const auto& [name, plan] : plans_) figures[name] = plan.figures();
    return figures;
}

DataPlans::Records DataPlans::records() const {
    Records records;
    for (const auto& [name, plan] : plans_) records[name] = plan.record();
    return records;
}

void DataPlans::write() {
    settleWrite();
    const Monotonic now = clock_.monotonic();
    const bool due = soon_ || !wroteAt_ || now >= *wroteAt_ + kWriteInterval;
    if (plans_.empty() || writing_.valid() || !due) return;
    soon_ = false;
    auto records = this->records();
    if (records == kept_) return;
    wroteAt_ = now;
    kept_ = records;
    writing_ = std::async(std::launch::async, [dir = dataDir_, records = std::move(records)]() mutable {
        return dir.rememberPlans(records);
    });
}

void DataPlans::finishWriting() {
    if (writing_.valid()) writing_.wait();
    settleWrite();
}

/// Of a write that has ended.
void DataPlans::settleWrite() {
    if (!writing_.valid() || writing_.wait_for(std::chrono::seconds(0)) != std::future_status::ready) return;
    const auto written = writing_.get();
    if (written) return;
    kept_.clear();
    logWarning("uplink",
               "what is used of data plans would be forgotten at a restart: ", written.error().message);
}

}  // namespace edgecam::agent
