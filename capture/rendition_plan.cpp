#include "capture/rendition_plan.hpp"

#include <algorithm>
#include <numeric>
#include <tuple>

namespace edgecam::capture {
namespace {

/// All who want the same.
struct Group {
    EncoderSettings settings;
    int rank = 0;
    std::vector<std::size_t> votes;  ///< by slot: how many of them are there now
    std::vector<std::size_t> members;
    std::optional<std::size_t> slot;

    [[nodiscard]] bool isServed(const std::vector<std::optional<EncoderSettings>>& inForce) const {
        for (std::size_t at = 0; at < inForce.size(); ++at) {
            if (votes[at] > 0 && inForce[at] == settings) return true;
        }
        return false;
    }
};

std::vector<Group> groupsOf(const std::vector<RenditionWish>& wishes, std::size_t slots) {
    std::vector<Group> groups;
    for (std::size_t index = 0; index < wishes.size(); ++index) {
        const RenditionWish& wish = wishes[index];
        auto group = std::ranges::find(groups, wish.settings, &Group::settings);
        if (group == groups.end()) {
            group = groups.insert(group, Group{.settings = wish.settings,
                                               .rank = wish.rank,
                                               .votes = std::vector<std::size_t>(slots),
                                               .members = {},
                                               .slot = {}});
        }
        group->rank = std::max(group->rank, wish.rank);
        group->members.push_back(index);
        if (wish.slot && *wish.slot < slots) ++group->votes[*wish.slot];
    }
    return groups;
}

/// Who finds what they want where they are stays there; then who is somewhere, the more of them the sooner;
/// then whoever is left takes what is free.
void seat(std::vector<Group>& groups, const std::vector<std::optional<EncoderSettings>>& inForce) {
    std::vector<bool> taken(inForce.size());
    const auto take = [&](Group& group, std::size_t slot) {
        group.slot = slot;
        taken[slot] = true;
    };
    for (Group& group : groups) {
        for (std::size_t at = 0; at < inForce.size() && !group.slot; ++at) {
            if (!taken[at] && group.votes[at] > 0 && inForce[at] == group.settings) take(group, at);
        }
    }
    for (Group& group : groups) {
        if (group.slot) continue;
        std::optional<std::size_t> best;
        for (std::size_t at = 0; at < inForce.size(); ++at) {
            if (!taken[at] && group.votes[at] > 0 && (!best || group.votes[at] > group.votes[*best]))
                best = at;
        }
        if (best) take(group, *best);
    }
    for (Group& group : groups) {
        if (group.slot) continue;
        // One that nobody used is free without a change for anybody.
        const auto free = std::ranges::find(taken, false);
        take(group, static_cast<std::size_t>(free - taken.begin()));
    }
}

std::size_t nearest(const std::vector<Group>& seated, int kbps) {
    const Group* best = nullptr;
    for (const Group& group : seated) {
        const int rate = group.settings.bitrateKbps;
        const bool fits = rate <= kbps;
        const bool bestFits = best != nullptr && best->settings.bitrateKbps <= kbps;
        if (best == nullptr || (fits && !bestFits) ||
            (fits == bestFits && (rate > best->settings.bitrateKbps) == fits)) {
            best = &group;
        }
    }
    return *best->slot;
}

}  // namespace

RenditionPlan planRenditions(const std::vector<RenditionWish>& wishes,
                             const std::vector<std::optional<EncoderSettings>>& inForce) {
    std::vector<Group> groups = groupsOf(wishes, inForce.size());
    std::ranges::stable_sort(groups, [&](const Group& one, const Group& other) {
        const auto key = [&](const Group& group) {
            return std::tuple(group.rank, group.isServed(inForce), group.members.size());
        };
        return key(one) > key(other);
    });
    const auto cut = groups.begin() + static_cast<std::ptrdiff_t>(std::min(groups.size(), inForce.size()));
    const std::vector<Group> left(cut, groups.end());
    groups.erase(cut, groups.end());
    seat(groups, inForce);

    RenditionPlan plan{.slotOf = std::vector<std::size_t>(wishes.size()), .slots = {}};
    plan.slots.resize(inForce.size());
    for (const Group& group : groups) {
        plan.slots[*group.slot] = group.settings;
        for (const std::size_t member : group.members) plan.slotOf[member] = *group.slot;
    }
    for (const Group& group : left) {
        for (const std::size_t member : group.members) {
            plan.slotOf[member] = nearest(groups, group.settings.bitrateKbps);
        }
    }
    return plan;
}

}  // namespace edgecam::capture
