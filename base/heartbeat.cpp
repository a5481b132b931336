#include "base/heartbeat.hpp"

#include <map>
#include <mutex>
#include <utility>

namespace edgecam {
namespace {

struct Hearts {
    std::mutex mutex;
    std::uint64_t last = 0;
    std::map<std::uint64_t, const Heartbeat*> beating;
};

/// Never destroyed: a loop may end after main().
Hearts& hearts() {
    static auto& all = *new Hearts;
    return all;
}

}  // namespace

Heartbeat::Heartbeat(std::string name) : name_(std::move(name)) {
    Hearts& all = hearts();
    const std::lock_guard lock(all.mutex);
    id_ = ++all.last;
    all.beating.emplace(id_, this);
}

Heartbeat::~Heartbeat() {
    Hearts& all = hearts();
    const std::lock_guard lock(all.mutex);
    all.beating.erase(id_);
}

std::vector<Heartbeat::Sign> Heartbeat::all() {
    Hearts& all = hearts();
    const std::lock_guard lock(all.mutex);
    std::vector<Sign> signs;
    for (const auto& [id, heart] : all.beating) {
        signs.push_back({.id = id,
                         .name = heart->name_,
                         .turns = heart->turns_.load(std::memory_order_relaxed),
                         .resting = heart->resting_.load(std::memory_order_relaxed)});
    }
    return signs;
}

}  // namespace edgecam
