// Access: who a token belongs to and what that role may do. Fail-closed: what no rule allows is refused.
// Knows no socket and no camera; holds tokens only to compare them.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace edgecam::uplink {

enum class Role { viewer, operator_, admin };
const char* nameOf(Role role);
std::optional<Role> roleNamed(std::string_view word);

struct TokenRule {
    std::string token;
    Role role = Role::viewer;
    std::vector<std::string> cameras;  ///< empty: all
};

/// What a peer was found to be.
struct Grant {
    Role role = Role::viewer;
    std::vector<std::string> cameras;  ///< empty: all
    [[nodiscard]] bool covers(std::string_view cameraId) const;
};

/// What a message wants to do; each needs a role of at least the one in the table in access.cpp.
enum class Deed {
    watch,         ///< start, stop, subscribe, status, metrics, heartbeat, media_ack, ack, snapshot, keyframe
    choosePreset,  ///< quality by one of the preset words
    tuneFreely,    ///< quality with numbers, or for the whole camera
    switchCamera,  ///< enable, disable
    administer,    ///< config, sessions, diagnostics, rotate_token
};
bool allows(Role role, Deed deed);

/// Immutable after construction, so thread-safe.
class Access {
  public:
    explicit Access(std::vector<TokenRule> rules);
    /// Compares in constant time with every rule. Nothing: unknown token.
    [[nodiscard]] std::optional<Grant> check(std::string_view token) const;

  private:
    std::vector<TokenRule> rules_;
};

}  // namespace edgecam::uplink
