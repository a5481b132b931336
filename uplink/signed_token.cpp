#include "uplink/signed_token.hpp"

#include <openssl/bio.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/obj_mac.h>
#include <openssl/pem.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <utility>

#include "base/bytes.hpp"
#include "base/json.hpp"
#include "base/log.hpp"
#include "uplink/command.hpp"
#include "uplink/openssl_handle.hpp"

namespace edgecam::uplink {
namespace {

template <auto Free>
struct Deleter {
    template <class T>
    void operator()(T* object) const {
        Free(object);
    }
};
using Digest = std::unique_ptr<EVP_MD_CTX, Deleter<EVP_MD_CTX_free>>;
using Signature = std::unique_ptr<ECDSA_SIG, Deleter<ECDSA_SIG_free>>;
using Source = std::unique_ptr<BIO, Deleter<BIO_free>>;
using Number = std::unique_ptr<BIGNUM, Deleter<BN_free>>;

constexpr std::size_t kLongest = 4096;
constexpr std::size_t kMostCameras = 64;
constexpr std::size_t kHalfOfEs256 = 32;  // R and S, each, big-endian: RFC 7518 section 3.4
// The clock of who signed and ours may differ so far.
constexpr Microseconds kLeeway = std::chrono::seconds(30);
constexpr double kLatestTime = 1e11;  // s; what is beyond fits no clock

/// RFC 4648 section 5 without padding; nothing where a letter is foreign or bits are left over.
std::optional<ByteBuffer> decodeBase64Url(std::string_view text) {
    constexpr std::string_view kLetters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    ByteBuffer bytes;
    std::uint32_t held = 0;
    unsigned bits = 0;
    for (const char letter : text) {
        const auto value = kLetters.find(letter);
        if (value == std::string_view::npos) return std::nullopt;
        held = (held << 6U) | static_cast<std::uint32_t>(value);
        bits += 6;
        if (bits < 8) continue;
        bits -= 8;
        bytes.push_back(static_cast<std::uint8_t>(held >> bits));
        held &= (1U << bits) - 1;
    }
    if (bits >= 6 || held != 0) return std::nullopt;
    return bytes;
}

Result<JsonDocument> decodeObject(std::string_view part, const char* what) {
    const auto bytes = decodeBase64Url(part);
    if (!bytes) return Error{concat("its ", what, " is not base64url")};
    auto document = parseJson({reinterpret_cast<const char*>(bytes->data()), bytes->size()});
    if (!document) return document.error().within(what);
    if (!document->IsObject()) return Error{concat("its ", what, " is no JSON object")};
    return document;
}

/// The `alg` that a key stands for; empty: none that counts here.
std::string_view algorithmOf(const EVP_PKEY* key) {
    if (EVP_PKEY_get_id(key) == EVP_PKEY_ED25519) return "EdDSA";
    if (EVP_PKEY_get_id(key) != EVP_PKEY_EC) return {};
    std::array<char, 64> curve{};
    std::size_t length = 0;
    if (EVP_PKEY_get_group_name(key, curve.data(), curve.size(), &length) != 1) return {};
    return std::string_view(curve.data(), length) == SN_X9_62_prime256v1 ? "ES256" : std::string_view();
}

/// JOSE writes R and S one after the other, OpenSSL wants them in ASN.1.
ByteBuffer asn1Of(const ByteBuffer& joined) {
    if (joined.size() != 2 * kHalfOfEs256) return {};
    Number r(BN_bin2bn(joined.data(), kHalfOfEs256, nullptr));
    Number s(BN_bin2bn(joined.data() + kHalfOfEs256, kHalfOfEs256, nullptr));
    const Signature signature(ECDSA_SIG_new());
    if (!r || !s || !signature || ECDSA_SIG_set0(signature.get(), r.get(), s.get()) != 1) return {};
    r.release();  // the signature's now
    s.release();
    const int size = i2d_ECDSA_SIG(signature.get(), nullptr);
    if (size <= 0) return {};
    ByteBuffer encoded(static_cast<std::size_t>(size));
    unsigned char* at = encoded.data();
    i2d_ECDSA_SIG(signature.get(), &at);
    return encoded;
}

bool signedBy(EVP_PKEY* key, std::string_view text, const ByteBuffer& signature) {
    const bool curve25519 = EVP_PKEY_get_id(key) == EVP_PKEY_ED25519;
    const ByteBuffer given = curve25519 ? signature : asn1Of(signature);
    if (given.empty()) return false;
    const Digest digest(EVP_MD_CTX_new());
    const EVP_MD* hash = curve25519 ? nullptr : EVP_sha256();
    const bool good = digest && EVP_DigestVerifyInit(digest.get(), nullptr, hash, nullptr, key) == 1 &&
                      EVP_DigestVerify(digest.get(), given.data(), given.size(),
                                       reinterpret_cast<const unsigned char*>(text.data()), text.size()) == 1;
    // What OpenSSL notes of it for this thread would be taken for trouble of the connection served next.
    ERR_clear_error();
    return good;
}

/// Which of the keys signed it. The header says only which kind of key to try.
Result<const TokenKey*> signerOf(std::string_view token, const std::vector<TokenKey>& keys) {
    const auto first = token.find('.');
    const auto last = token.rfind('.');
    const auto header = decodeObject(token.substr(0, first), "header");
    if (!header) return header.error();
    FieldReader fields(*header);
    fields.require("alg");
    const std::string algorithm = fields.text("alg", 32).value_or("");
    if (!fields.ok()) return fields.error().within("header");
    // RFC 7515 section 4.1.11: an extension that must be understood, and is not.
    if (fields.has("crit")) return Error{"its header names critical extensions"};
    const auto signature = decodeBase64Url(token.substr(last + 1));
    if (!signature) return Error{"its signature is not base64url"};
    for (const TokenKey& key : keys) {
        if (algorithmOf(key.publicKey.get()) != algorithm) continue;
        if (signedBy(key.publicKey.get(), signedPart(token), *signature)) return &key;
    }
    return Error{"no key here signed it"};
}

bool namesAudience(FieldReader& claims, const std::string& wanted) {
    const JsonValue* given = claims.any("aud");
    if (given == nullptr) return false;
    if (given->IsString()) return claims.text("aud") == wanted;
    const auto several = claims.texts("aud", 16, 256);
    return several && std::ranges::find(*several, wanted) != several->end();
}

Utc timeOf(double seconds) {
    return Utc(Microseconds(std::llround(seconds * 1e6)));
}

/// Within the key's, or nothing where one is beyond.
std::optional<std::vector<std::string>> camerasOf(const std::vector<std::string>& asked,
                                                  const TokenKey& key) {
    if (asked.empty()) return key.cameras;
    for (const std::string& camera : asked) {
        if (!isCameraId(camera)) return std::nullopt;
        const bool within =
            key.cameras.empty() || std::ranges::find(key.cameras, camera) != key.cameras.end();
        if (!within) return std::nullopt;
    }
    return asked;
}

Result<SignedToken> readClaims(const JsonValue& object, const TokenKey& key, Utc now) {
    FieldReader claims(object);
    claims.require("exp");
    const double end = claims.number("exp", 0, kLatestTime).value_or(0);
    const auto begin = claims.number("nbf", 0, kLatestTime);
    const auto role = roleNamed(claims.text("role", 32).value_or("viewer"));
    const bool listsCameras = claims.has("cameras");
    const auto asked = claims.texts("cameras", kMostCameras, 64).value_or(std::vector<std::string>{});
    const bool forUs = namesAudience(claims, key.audience);
    const bool fromIssuer = key.issuer.empty() || claims.text("iss", 256) == key.issuer;
    SignedToken token{.subject = claims.text("sub", 256).value_or(""), .key = key.name, .cameras = {}};
    if (!claims.ok()) return claims.error();

    token.endsAt = timeOf(end);
    if (now >= token.endsAt) return Error{"it has ended"};
    if (token.endsAt > now + key.longest + kLeeway) return Error{"it holds for longer than its key may say"};
    if (begin && now + kLeeway < timeOf(*begin)) return Error{"it has not begun"};
    if (!forUs) return Error{"it is for another audience"};
    if (!fromIssuer) return Error{"it is another issuer's"};
    if (!role || *role > key.most) return Error{"its role is none, or more than its key may give"};
    token.role = *role;
    // An empty list would mean no camera to who wrote it, and all of them here.
    if (listsCameras && asked.empty()) return Error{"its list of cameras is empty"};
    auto cameras = camerasOf(asked, key);
    if (!cameras) return Error{"it names a camera that its key may not give"};
    token.cameras = *std::move(cameras);
    return token;
}

}  // namespace

Result<std::shared_ptr<evp_pkey_st>> readPublicKey(const std::string& pem) {
    const Source source(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
    std::shared_ptr<EVP_PKEY> key(
        source ? PEM_read_bio_PUBKEY(source.get(), nullptr, &noPassphrase, nullptr) : nullptr,
        [](EVP_PKEY* each) { EVP_PKEY_free(each); });
    ERR_clear_error();
    if (!key) return Error{"is no public key in PEM (\"-----BEGIN PUBLIC KEY-----\")"};
    if (algorithmOf(key.get()).empty())
        return Error{"is neither an EC P-256 (ES256) nor an Ed25519 (EdDSA) key"};
    return key;
}

std::string writePublicKey(EVP_PKEY& key) {
    const Source out(BIO_new(BIO_s_mem()));
    char* text = nullptr;
    if (!out || PEM_write_bio_PUBKEY(out.get(), &key) != 1) return {};
    const long length = BIO_get_mem_data(out.get(), &text);
    return {text, static_cast<std::size_t>(length)};
}

bool looksSigned(std::string_view token) {
    return std::ranges::count(token, '.') == 2;
}

std::string_view signedPart(std::string_view token) {
    return token.substr(0, token.rfind('.'));
}

Result<SignedToken> checkSigned(std::string_view token, const std::vector<TokenKey>& keys,
                                std::optional<Utc> now) {
    if (token.size() > kLongest || !looksSigned(token)) return Error{"it is no signed token"};
    const auto key = signerOf(token, keys);
    if (!key) return key.error();
    const auto first = token.find('.');
    const auto claims = decodeObject(token.substr(first + 1, token.rfind('.') - first - 1), "claims");
    if (!claims) return claims.error();
    if (!now) return Error{"the box does not know the time, so it cannot say whether it has ended"};
    return readClaims(*claims, **key, *now);
}

}  // namespace edgecam::uplink
