// TokenHash: a token as the box keeps it, so that neither memory nor a file gives it away. Knows no role.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.hpp"

namespace edgecam::uplink {

/// SHA-256 over a salt and the token. That is enough for random tokens, which nobody guesses; against a short
/// one that a person made up stand the limits on failed tries, not this. A value; thread-safe.
class TokenHash {
  public:
    static constexpr std::size_t kBytes = 32;
    using Bytes = std::array<std::uint8_t, kBytes>;

    /// Of nothing: it fits no token.
    TokenHash() = default;
    /// With the salt of this process, the same for all: to look for a token among many costs one hash.
    static TokenHash of(std::string_view token);
    /// With a salt of its own, for a file.
    static TokenHash salted(std::string_view token);
    /// "sha256:SALT:HASH", both of 64 hexadecimal digits; `edgecam token --hash` prints it.
    static Result<TokenHash> parse(std::string_view text);
    /// Whether a text means to be a hash, well formed or not: begins with "sha256:".
    static bool looksLikeOne(std::string_view text);

    [[nodiscard]] std::string text() const;
    /// Takes as long for a wrong token as for the right one.
    [[nodiscard]] bool matches(std::string_view token) const;
    /// The same salt and the same hash. Takes as long for a wrong one.
    [[nodiscard]] bool operator==(const TokenHash& other) const;
    [[nodiscard]] const Bytes& salt() const { return salt_; }

  private:
    TokenHash(const Bytes& salt, std::string_view token);

    Bytes salt_{};
    Bytes hash_{};
};

}  // namespace edgecam::uplink
