#include "tests/uplink/signing_key.hpp"

#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/obj_mac.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

#include <cstdlib>
#include <utility>

namespace edgecam::uplink::test {
namespace {

void must(bool holds) {
    if (!holds) std::abort();
}

std::shared_ptr<EVP_PKEY> owned(EVP_PKEY* key) {
    must(key != nullptr);
    return {key, [](EVP_PKEY* each) { EVP_PKEY_free(each); }};
}

/// R and S of an ASN.1 signature, one after the other.
std::string joined(const std::string& asn1) {
    const auto* at = reinterpret_cast<const unsigned char*>(asn1.data());
    ECDSA_SIG* signature = d2i_ECDSA_SIG(nullptr, &at, static_cast<long>(asn1.size()));
    must(signature != nullptr);
    std::string bytes(64, '\0');
    BN_bn2binpad(ECDSA_SIG_get0_r(signature), reinterpret_cast<unsigned char*>(bytes.data()), 32);
    BN_bn2binpad(ECDSA_SIG_get0_s(signature), reinterpret_cast<unsigned char*>(bytes.data()) + 32, 32);
    ECDSA_SIG_free(signature);
    return bytes;
}

}  // namespace

std::string base64Url(std::string_view bytes) {
    std::string text(4 * ((bytes.size() + 2) / 3) + 1, '\0');
    const int length =
        EVP_EncodeBlock(reinterpret_cast<unsigned char*>(text.data()),
                        reinterpret_cast<const unsigned char*>(bytes.data()), static_cast<int>(bytes.size()));
    text.resize(static_cast<std::size_t>(length));
    while (text.ends_with('=')) text.pop_back();
    for (char& letter : text) letter = letter == '+' ? '-' : letter == '/' ? '_' : letter;
    return text;
}

std::string twinOf(const std::string& token) {
    const auto dot = token.rfind('.');
    std::string text = token.substr(dot + 1) + "==";
    must(text.size() == 88);
    for (char& letter : text) letter = letter == '-' ? '+' : letter == '_' ? '/' : letter;
    std::string bytes(66, '\0');
    auto* raw = reinterpret_cast<unsigned char*>(bytes.data());
    must(EVP_DecodeBlock(raw, reinterpret_cast<const unsigned char*>(text.data()), 88) == 66);
    bytes.resize(64);
    EC_GROUP* group = EC_GROUP_new_by_curve_name(NID_X9_62_prime256v1);
    BIGNUM* s = BN_bin2bn(raw + 32, 32, nullptr);
    must(BN_sub(s, EC_GROUP_get0_order(group), s) == 1 && BN_bn2binpad(s, raw + 32, 32) == 32);
    BN_free(s);
    EC_GROUP_free(group);
    return token.substr(0, dot + 1) + base64Url(bytes);
}

SigningKey SigningKey::es256() {
    return {owned(EVP_EC_gen("P-256")), "ES256"};
}

SigningKey SigningKey::edDsa() {
    return {owned(EVP_PKEY_Q_keygen(nullptr, nullptr, "ED25519")), "EdDSA"};
}

std::string SigningKey::sign(const std::string& claims) const {
    return sign(std::string(R"({"typ":"JWT","alg":")") + algorithm_ + "\"}", claims);
}

std::string SigningKey::sign(const std::string& header, const std::string& claims) const {
    const std::string text = base64Url(header) + "." + base64Url(claims);
    const bool elliptic = EVP_PKEY_get_id(key_.get()) == EVP_PKEY_EC;
    EVP_MD_CTX* digest = EVP_MD_CTX_new();
    must(EVP_DigestSignInit(digest, nullptr, elliptic ? EVP_sha256() : nullptr, nullptr, key_.get()) == 1);
    std::size_t size = 256;
    std::string signature(size, '\0');
    must(EVP_DigestSign(digest, reinterpret_cast<unsigned char*>(signature.data()), &size,
                        reinterpret_cast<const unsigned char*>(text.data()), text.size()) == 1);
    EVP_MD_CTX_free(digest);
    signature.resize(size);
    return text + "." + base64Url(elliptic ? joined(signature) : signature);
}

std::string SigningKey::publicPem() const {
    BIO* out = BIO_new(BIO_s_mem());
    must(PEM_write_bio_PUBKEY(out, key_.get()) == 1);
    char* text = nullptr;
    const long length = BIO_get_mem_data(out, &text);
    std::string pem(text, static_cast<std::size_t>(length));
    BIO_free(out);
    return pem;
}

std::string SigningKey::publicJwk() const {
    std::string raw(32, '\0');
    std::size_t size = raw.size();
    must(EVP_PKEY_get_raw_public_key(key_.get(), reinterpret_cast<unsigned char*>(raw.data()), &size) == 1);
    return R"({"kty":"OKP","crv":"Ed25519","x":")" + base64Url(raw) + "\"}";
}

std::string SigningKey::certificate() const {
    X509* made = X509_new();
    const bool elliptic = EVP_PKEY_get_id(key_.get()) == EVP_PKEY_EC;
    must(X509_set_pubkey(made, key_.get()) == 1 && X509_gmtime_adj(X509_getm_notBefore(made), 0) != nullptr &&
         X509_gmtime_adj(X509_getm_notAfter(made), 86400) != nullptr &&
         X509_sign(made, key_.get(), elliptic ? EVP_sha256() : nullptr) > 0);
    std::string der(static_cast<std::size_t>(i2d_X509(made, nullptr)), '\0');
    auto* at = reinterpret_cast<unsigned char*>(der.data());
    i2d_X509(made, &at);
    X509_free(made);
    return der;
}

}  // namespace edgecam::uplink::test
