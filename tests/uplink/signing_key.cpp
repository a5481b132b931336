#include "tests/uplink/signing_key.hpp"

#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/pem.h>

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

}  // namespace edgecam::uplink::test
