#include "uplink/session_registry.hpp"

#include <utility>

namespace edgecam::uplink {
namespace {

bool supersedes(const SessionEntry& newer, const SessionEntry& older) {
    return newer.id != older.id && !newer.instance.empty() && newer.instance == older.instance &&
           newer.purpose == older.purpose && newer.uplink == older.uplink && newer.grant.token.has_value() &&
           newer.grant.token == older.grant.token;
}

}  // namespace

void SessionRegistry::enter(SessionEntry entry) {
    const std::lock_guard lock(mutex_);
    for (auto& [id, present] : present_) {
        if (supersedes(entry, present.entry) && !present.wish) {
            present.wish = CloseWish{4409, "replaced by a newer connection"};
        }
    }
    present_[entry.id].entry = std::move(entry);
}

void SessionRegistry::update(SessionId session, const SessionUse& use) {
    const std::lock_guard lock(mutex_);
    if (const auto found = present_.find(session); found != present_.end()) found->second.entry.use = use;
}

void SessionRegistry::leave(SessionId session) {
    const std::lock_guard lock(mutex_);
    present_.erase(session);
}

std::vector<SessionEntry> SessionRegistry::list() const {
    const std::lock_guard lock(mutex_);
    std::vector<SessionEntry> entries;
    entries.reserve(present_.size());
    for (const auto& [id, present] : present_) entries.push_back(present.entry);
    return entries;
}

std::optional<SessionEntry> SessionRegistry::find(SessionId session) const {
    const std::lock_guard lock(mutex_);
    const auto found = present_.find(session);
    return found == present_.end() ? std::nullopt : std::optional(found->second.entry);
}

bool SessionRegistry::end(SessionId session, CloseWish wish) {
    const std::lock_guard lock(mutex_);
    const auto found = present_.find(session);
    if (found == present_.end()) return false;
    if (!found->second.wish) found->second.wish = std::move(wish);
    return true;
}

std::optional<CloseWish> SessionRegistry::wishFor(SessionId session) const {
    const std::lock_guard lock(mutex_);
    const auto found = present_.find(session);
    return found == present_.end() ? std::nullopt : found->second.wish;
}

}  // namespace edgecam::uplink
