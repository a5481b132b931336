#include "uplink/access.hpp"

#include <algorithm>
#include <array>
#include <utility>

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

/// Takes as long for a wrong first byte as for a wrong last one: its time depends on `offered` alone, whose
/// length the peer knows anyway.
bool sameSecret(std::string_view offered, std::string_view expected) {
    if (expected.empty()) return false;
    unsigned difference = offered.size() == expected.size() ? 0 : 1;
    for (std::size_t i = 0; i < offered.size(); ++i) {
        difference |= static_cast<unsigned>(static_cast<unsigned char>(offered[i]) ^
                                            static_cast<unsigned char>(expected[i % expected.size()]));
    }
    return difference == 0;
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

bool allows(Role role, Deed deed) {
    for (const auto& [listed, least] : kLeastRole) {
        if (listed == deed) return role >= least;
    }
    return false;
}

Access::Access(std::vector<TokenRule> rules) : rules_(std::move(rules)) {}

std::optional<Grant> Access::check(std::string_view token) const {
    std::optional<Grant> found;
    for (const TokenRule& rule : rules_) {  // all of them: an early end would tell which one came close
        if (sameSecret(token, rule.token) && !found) found = Grant{rule.role, rule.cameras};
    }
    return found;
}

}  // namespace edgecam::uplink
