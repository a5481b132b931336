// SignedToken: a short-lived token that somebody else made and signed, a JSON Web Token (RFC 7519) in compact
// form (RFC 7515). It says who may do what until when, so that the box need not know every viewer. The shape is
// read here, the signature is OpenSSL's, the JSON RapidJSON's: of Debian 12's libraries for these tokens one,
// rhonabwy, checks both ES256 and EdDSA, and docs/security.md says what it would cost. Knows no socket; holds
// public keys only.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.hpp"
#include "base/result.hpp"
#include "uplink/role.hpp"

struct evp_pkey_st;

namespace edgecam::uplink {

/// Whose signature counts, and for what.
struct TokenKey {
    std::string name;                               ///< of the issuer, for people
    std::shared_ptr<evp_pkey_st> publicKey;         ///< EC P-256 (ES256) or Ed25519 (EdDSA)
    std::string audience;                           ///< `aud` must name it
    std::string issuer;                             ///< `iss` must be it; empty: whatever it is
    Role most = Role::viewer;                       ///< a token that asks for more is refused
    std::vector<std::string> cameras;               ///< beyond which no token reaches; empty: all
    Microseconds longest = std::chrono::hours(24);  ///< a token that ends later than this from now is refused
};

/// Reads a PEM file's text. The error says which kinds of key there are.
Result<std::shared_ptr<evp_pkey_st>> readPublicKey(const std::string& pem);
/// The same as PEM.
std::string writePublicKey(evp_pkey_st& key);

struct SignedToken {
    std::string subject;               ///< `sub`; may be empty
    std::string key;                   ///< TokenKey::name
    Role role = Role::viewer;          ///< `role`; absent: viewer
    std::vector<std::string> cameras;  ///< `cameras` within the key's; empty: all
    Utc endsAt;                        ///< `exp`
};

/// Whether a text has the shape of one: three base64url parts. An opaque token has no dots.
bool looksSigned(std::string_view token);

/// Of a signed token what was signed: all before the signature. It is what a token is known by (who holds an
/// ES256 token can write its signature in a second way, with n - S for S, that is as valid). Borrowed.
std::string_view signedPart(std::string_view token);

/// Checks the signature against each key of the header's `alg` (which must be the key's own kind: a header
/// chooses nothing), then `exp` (needed), `nbf`, `aud`, `iss`, `role`, `cameras`. `now`: trusted, or nothing
/// where the box does not know the time, which refuses every token. The error is for the log, not for the
/// peer.
Result<SignedToken> checkSigned(std::string_view token, const std::vector<TokenKey>& keys,
                                std::optional<Utc> now);

}  // namespace edgecam::uplink
