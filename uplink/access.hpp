// Access: who a token belongs to and what that role may do. Fail-closed: what no rule allows is refused.
// Knows no socket and no camera; keeps tokens only as hashes.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.hpp"
#include "uplink/role.hpp"
#include "uplink/signed_token.hpp"
#include "uplink/token_hash.hpp"

namespace edgecam::uplink {

/// A token that holds until somebody takes it away.
struct TokenRule {
    std::string name;  ///< whose it is, for logs and lists; never the token
    TokenHash token;
    Role role = Role::viewer;
    std::vector<std::string> cameras;  ///< empty: all
    bool made = false;                 ///< by this agent, so that it may replace it (`rotate_token`)

    /// Of a token at hand, which is not kept.
    static TokenRule of(std::string_view token, Role role, std::vector<std::string> cameras = {});
};

/// Of a token that was taken away while it would still hold.
struct Revocation {
    TokenHash token;
    std::optional<Utc> until;  ///< when it would have ended by itself; nothing: never
};

struct AccessRules {
    std::vector<TokenRule> tokens;
    std::vector<TokenKey> keys;
    std::vector<Revocation> revoked;
};

/// What a peer was found to be.
struct Grant {
    Role role = Role::viewer;
    std::vector<std::string> cameras;  ///< empty: all
    std::string name = {};             ///< whose token it is
    std::optional<TokenHash> token = {};
    std::optional<Utc> endsAt = {};  ///< of a signed token
    std::string key = {};            ///< who signed it; empty: it is no signed one
    bool made = false;               ///< TokenRule::made
    std::uint64_t generation = 0;    ///< Access::generation() that it was found in
    [[nodiscard]] bool covers(std::string_view cameraId) const;
};

/// What a message wants to do; each needs a role of at least leastRole().
enum class Deed {
    watch,         ///< start, stop, subscribe, status, metrics, heartbeat, media_ack, ack, snapshot, keyframe
    choosePreset,  ///< quality by one of the preset words
    tuneFreely,    ///< quality with numbers, or for the whole camera
    switchCamera,  ///< enable, disable
    administer,    ///< config, probe, diagnostics, sessions, rotate_token
};
/// Nothing: nobody may.
std::optional<Role> leastRole(Deed deed);
bool allows(Role role, Deed deed);

/// Thread-safe; blocks for the time of some hashes and, for a signed token, of a signature's check.
class Access {
  public:
    /// Revocations go at the end of what can still be revoked, and never beyond these.
    static constexpr std::size_t kMostRevoked = 1000;

    Access(AccessRules rules, const Clock& clock);

    /// Compares with every rule, in a time that tells nothing of them. Nothing: unknown, ended or revoked.
    [[nodiscard]] std::optional<Grant> check(std::string_view token) const;
    /// What a grant of check() is now, after the rules changed; nothing: its token does not hold any more.
    [[nodiscard]] std::optional<Grant> renew(const Grant& grant) const;
    /// Grows with every change of the rules: then it is time for renew().
    [[nodiscard]] std::uint64_t generation() const { return generation_.load(std::memory_order_acquire); }

    /// New tokens and keys; what was revoked stays so.
    void replace(std::vector<TokenRule> tokens, std::vector<TokenKey> keys);
    /// The token of a grant holds no more, here and at once. False: it has none, or too many are revoked.
    bool revoke(const Grant& grant);
    [[nodiscard]] std::vector<Revocation> revoked() const;
    /// All of them, for another process that lets people in.
    [[nodiscard]] AccessRules rules() const;
    void replace(AccessRules rules);

  private:
    [[nodiscard]] std::optional<Utc> trustedNow() const;
    [[nodiscard]] std::optional<Grant> checkStatic(std::string_view token) const;
    [[nodiscard]] std::optional<Grant> checkSignedToken(std::string_view token) const;
    [[nodiscard]] bool withinItsKey(const Grant& grant) const;
    [[nodiscard]] bool isRevoked(std::string_view token, const Grant& grant) const;

    const Clock& clock_;
    mutable std::mutex mutex_;
    AccessRules rules_;
    std::atomic<std::uint64_t> generation_{0};
};

}  // namespace edgecam::uplink
