#include "uplink/token_hash.hpp"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/rand.h>

#include <algorithm>
#include <cstdlib>
#include <memory>

#include "base/log.hpp"

namespace edgecam::uplink {
namespace {

constexpr std::string_view kPrefix = "sha256:";

TokenHash::Bytes randomSalt() {
    TokenHash::Bytes salt{};
    if (RAND_bytes(salt.data(), static_cast<int>(salt.size())) != 1) {
        // Without randomness no secret of this process is one.
        logError("uplink", "OpenSSL gives no random bytes");
        std::abort();
    }
    return salt;
}

const TokenHash::Bytes& processSalt() {
    static const TokenHash::Bytes salt = randomSalt();
    return salt;
}

std::string hexOf(const TokenHash::Bytes& bytes) {
    constexpr std::string_view kDigits = "0123456789abcdef";
    std::string text;
    for (const std::uint8_t byte : bytes) {
        text += kDigits[byte >> 4U];
        text += kDigits[byte & 15U];
    }
    return text;
}

int valueOf(char digit) {
    if (digit >= '0' && digit <= '9') return digit - '0';
    if (digit >= 'a' && digit <= 'f') return digit - 'a' + 10;
    if (digit >= 'A' && digit <= 'F') return digit - 'A' + 10;
    return -1;
}

bool readHex(std::string_view text, TokenHash::Bytes& into) {
    if (text.size() != 2 * into.size()) return false;
    for (std::size_t i = 0; i < into.size(); ++i) {
        const int high = valueOf(text[2 * i]);
        const int low = valueOf(text[2 * i + 1]);
        if (high < 0 || low < 0) return false;
        into[i] = static_cast<std::uint8_t>(high * 16 + low);
    }
    return true;
}

}  // namespace

TokenHash::TokenHash(const Bytes& salt, std::string_view token) : salt_(salt) {
    const std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> digest(EVP_MD_CTX_new(), &EVP_MD_CTX_free);
    const bool made = digest && EVP_DigestInit_ex(digest.get(), EVP_sha256(), nullptr) == 1 &&
                      EVP_DigestUpdate(digest.get(), salt.data(), salt.size()) == 1 &&
                      EVP_DigestUpdate(digest.get(), token.data(), token.size()) == 1 &&
                      EVP_DigestFinal_ex(digest.get(), hash_.data(), nullptr) == 1;
    // A hash of zeros would be everybody's.
    if (!made) std::abort();
}

TokenHash TokenHash::of(std::string_view token) {
    return {processSalt(), token};
}

TokenHash TokenHash::salted(std::string_view token) {
    return {randomSalt(), token};
}

bool TokenHash::looksLikeOne(std::string_view text) {
    return text.starts_with(kPrefix);
}

Result<TokenHash> TokenHash::parse(std::string_view text) {
    constexpr std::size_t kHexDigits = 2 * kBytes;
    TokenHash parsed;
    const bool shaped = looksLikeOne(text) && text.size() == kPrefix.size() + 2 * kHexDigits + 1 &&
                        text[kPrefix.size() + kHexDigits] == ':';
    if (!shaped || !readHex(text.substr(kPrefix.size(), kHexDigits), parsed.salt_) ||
        !readHex(text.substr(kPrefix.size() + kHexDigits + 1), parsed.hash_)) {
        return Error{
            "a token's hash is sha256:SALT:HASH, both of 64 hexadecimal digits; "
            "\"edgecam token --hash\" makes one"};
    }
    return parsed;
}

std::string TokenHash::text() const {
    return concat(kPrefix, hexOf(salt_), ":", hexOf(hash_));
}

bool TokenHash::matches(std::string_view token) const {
    return *this == TokenHash(salt_, token);
}

bool TokenHash::operator==(const TokenHash& other) const {
    const int salts = CRYPTO_memcmp(salt_.data(), other.salt_.data(), kBytes);
    const int hashes = CRYPTO_memcmp(hash_.data(), other.hash_.data(), kBytes);
    return (salts | hashes) == 0;
}

}  // namespace edgecam::uplink
