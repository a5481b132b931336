// SigningKey: who signs tokens, for the tests: a key pair of its own and JSON Web Tokens made with it.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "uplink/signed_token.hpp"

namespace edgecam::uplink::test {

std::string base64Url(std::string_view bytes);
/// An ES256 token with its signature in the other way that is as valid: (R, n - S) for (R, S).
std::string twinOf(const std::string& token);

class SigningKey {
  public:
    static SigningKey es256();
    static SigningKey edDsa();

    /// With a header that names the key's own algorithm.
    [[nodiscard]] std::string sign(const std::string& claims) const;
    [[nodiscard]] std::string sign(const std::string& header, const std::string& claims) const;
    [[nodiscard]] std::shared_ptr<evp_pkey_st> publicKey() const { return key_; }
    [[nodiscard]] std::string publicPem() const;
    /// Of an Ed25519 key, as a JSON Web Key.
    [[nodiscard]] std::string publicJwk() const;
    /// Signed by itself, in DER.
    [[nodiscard]] std::string certificate() const;

  private:
    SigningKey(std::shared_ptr<evp_pkey_st> key, const char* algorithm)
        : key_(std::move(key)), algorithm_(algorithm) {}
    std::shared_ptr<evp_pkey_st> key_;
    const char* algorithm_;
};

}  // namespace edgecam::uplink::test
