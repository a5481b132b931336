#include "uplink/access.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include "base/log.hpp"
#include "uplink/trusted_time.hpp"

namespace edgecam::uplink {
namespace {

constexpr std::array kRoles{
    std::pair{Role::viewer, "viewer"},
    std::pair{Role::operator_, "operator"},
    std::pair{Role::admin, "admin"},
};

/// The least role that may do each deed. A deed that is missing here is nobody's.
constexpr std::array kLeastRole{
    std::pair{Deed::watch, Role::viewer},         std::pair{Deed::choosePreset, Role::viewer},
    std::pair{Deed::tuneFreely, Role::operator_}, std::pair{Deed::switchCamera, Role::operator_},
    std::pair{Deed::administer, Role::admin},
};

Grant grantOf(const TokenRule& rule) {
    return {.role = rule.role,
            .cameras = rule.cameras,
            .name = rule.name,
            .token = rule.token,
            .made = rule.made};
}

}  // namespace

const char* nameOf(Role role) {
    const auto* found = std::ranges::find(kRoles, role, &std::pair<Role, const char*>::first);
    return found == kRoles.end() ? "viewer" : found->second;
}

std::optional<Role> roleNamed(std::string_view word) {
    for (const auto& [role, name] : kRoles) {
        if (word == name) return role;
    }
    return std::nullopt;
}

bool Grant::covers(std::string_view cameraId) const {
    return cameras.empty() || std::ranges::find(cameras, cameraId) != cameras.end();
}

std::optional<Role> leastRole(Deed deed) {
    const auto* listed = std::ranges::find(kLeastRole, deed, &std::pair<Deed, Role>::first);
    return listed == kLeastRole.end() ? std::nullopt : std::optional(listed->second);
}

bool allows(Role role, Deed deed) {
    const auto least = leastRole(deed);
    return least && role >= *least;
}

TokenRule TokenRule::of(std::string_view token, Role role, std::vector<std::string> cameras) {
    return {.name = nameOf(role), .token = TokenHash::of(token), .role = role, .cameras = std::move(cameras)};
}

Access::Access(AccessRules rules, const Clock& clock) : clock_(clock), rules_(std::move(rules)) {}

/// A box that boots in 1970 would take every token for one that holds.
std::optional<Utc> Access::trustedNow() const {
    const Utc now = clock_.utc();
    return TrustedTime::plausible(now) ? std::optional(now) : std::nullopt;
}

std::optional<Grant> Access::check(std::string_view token) const {
    const std::lock_guard lock(mutex_);
    auto grant = checkStatic(token);
    if (!grant && !rules_.keys.empty() && looksSigned(token)) grant = checkSignedToken(token);
    if (!grant || isRevoked(token, *grant)) return std::nullopt;
    grant->generation = generation();
    return grant;
}

std::optional<Grant> Access::checkStatic(std::string_view token) const {
    if (token.empty()) return std::nullopt;
    const TokenHash here = TokenHash::of(token);
    std::optional<Grant> found;
    for (const TokenRule& rule :
         rules_.tokens) {  // all of them: an early end would tell which one came close
        const bool same = rule.token.salt() == here.salt() ? rule.token == here : rule.token.matches(token);
        if (same && !found) found = grantOf(rule);
    }
    return found;
}

std::optional<Grant> Access::checkSignedToken(std::string_view token) const {
    const auto read = checkSigned(token, rules_.keys, trustedNow());
    if (!read) {
        logDebug("uplink", "a signed token is refused: ", read.error().message);
        return std::nullopt;
    }
    return Grant{.role = read->role,
                 .cameras = read->cameras,
                 .name = read->subject.empty() ? read->key : concat(read->key, "/", read->subject),
                 .token = TokenHash::of(signedPart(token)),
                 .endsAt = read->endsAt,
                 .key = read->key};
}

bool Access::isRevoked(std::string_view token, const Grant& grant) const {
    return std::ranges::any_of(rules_.revoked, [&](const Revocation& each) {
        // The whole of a signed token is what older agents kept.
        return each.token.matches(token) || (!grant.key.empty() && each.token.matches(signedPart(token)));
    });
}

std::optional<Grant> Access::renew(const Grant& grant) const {
    const std::lock_guard lock(mutex_);
    if (!grant.token) return std::nullopt;
    const auto same = [&](const auto& rule) { return rule.token == *grant.token; };
    if (std::ranges::any_of(rules_.revoked, same)) return std::nullopt;
    std::optional<Grant> renewed = grant;
    if (grant.key.empty()) {
        const auto rule = std::ranges::find_if(rules_.tokens, same);
        if (rule == rules_.tokens.end()) return std::nullopt;
        renewed = grantOf(*rule);
    } else if (!withinItsKey(grant)) {
        return std::nullopt;
    }
    renewed->generation = generation();
    return renewed;
}

bool Access::withinItsKey(const Grant& grant) const {
    const auto key = std::ranges::find(rules_.keys, grant.key, &TokenKey::name);
    if (key == rules_.keys.end() || grant.role > key->most) return false;
    if (key->cameras.empty()) return true;
    return !grant.cameras.empty() && std::ranges::all_of(grant.cameras, [&](const std::string& camera) {
        return std::ranges::find(key->cameras, camera) != key->cameras.end();
    });
}

void Access::replace(std::vector<TokenRule> tokens, std::vector<TokenKey> keys) {
    const std::lock_guard lock(mutex_);
    rules_.tokens = std::move(tokens);
    rules_.keys = std::move(keys);
    generation_.fetch_add(1, std::memory_order_release);
}

bool Access::revoke(const Grant& grant) {
    const std::lock_guard lock(mutex_);
    if (!grant.token) return false;
    if (const auto now = trustedNow()) {
        std::erase_if(rules_.revoked,
                      [&](const Revocation& each) { return each.until && *each.until <= *now; });
    }
    if (rules_.revoked.size() >= kMostRevoked) return false;
    rules_.revoked.push_back({*grant.token, grant.endsAt});
    generation_.fetch_add(1, std::memory_order_release);
    return true;
}

AccessRules Access::rules() const {
    const std::lock_guard lock(mutex_);
    return rules_;
}

void Access::replace(AccessRules rules) {
    const std::lock_guard lock(mutex_);
    rules_ = std::move(rules);
    generation_.fetch_add(1, std::memory_order_release);
}

std::vector<Revocation> Access::revoked() const {
    const std::lock_guard lock(mutex_);
    return rules_.revoked;
}

}  // namespace edgecam::uplink
