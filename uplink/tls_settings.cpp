#include "uplink/tls_settings.hpp"

#include <openssl/err.h>
#include <openssl/ssl.h>

#include <memory>

#include "base/log.hpp"
#include "uplink/openssl_handle.hpp"

namespace edgecam::uplink {
namespace {

// Of TLS 1.2; all suites of TLS 1.3 that OpenSSL offers by itself are of this kind.
constexpr const char* kStrongSuites = "ECDHE+AESGCM:ECDHE+CHACHA20:!PSK";

Result<void> useKeyPair(SSL_CTX* context, const std::string& certificateFile, const std::string& keyFile) {
    SSL_CTX_set_default_passwd_cb(context, &noPassphrase);
    if (SSL_CTX_use_certificate_chain_file(context, certificateFile.c_str()) != 1) {
        return Error{opensslTrouble()}.within(certificateFile);
    }
    if (SSL_CTX_use_PrivateKey_file(context, keyFile.c_str(), SSL_FILETYPE_PEM) != 1) {
        return Error{opensslTrouble()}.within(keyFile);
    }
    return {};
}

/// The authorities are also named to the client, so that a browser offers the right certificate.
Result<void> demandCertificate(SSL_CTX* context, const std::string& caFile) {
    STACK_OF(X509_NAME)* names = SSL_load_client_CA_file(caFile.c_str());
    if (names == nullptr || SSL_CTX_load_verify_file(context, caFile.c_str()) != 1) {
        sk_X509_NAME_pop_free(names, X509_NAME_free);
        return Error{opensslTrouble()}.within(caFile);
    }
    SSL_CTX_set_client_CA_list(context, names);  // takes them
    SSL_CTX_set_verify(context, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, nullptr);
    return {};
}

template <class Settings>
Result<void> tryWith(const SSL_METHOD* method, const Settings& settings) {
    const std::unique_ptr<SSL_CTX, OpensslDeleter<&SSL_CTX_free>> context(SSL_CTX_new(method));
    return context ? applyTo(context.get(), settings) : Error{opensslTrouble()};
}

}  // namespace

Result<void> applyTo(SSL_CTX* context, const ServerTls& settings) {
    ERR_clear_error();
    SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION);
    if (SSL_CTX_set_cipher_list(context, kStrongSuites) != 1) return Error{opensslTrouble()};
    // A box without AES in its hardware is better served by ChaCha20, as are phones that put it first.
    SSL_CTX_set_options(context, SSL_OP_CIPHER_SERVER_PREFERENCE | SSL_OP_PRIORITIZE_CHACHA);
    SSL_CTX_set_options(context, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION);
    // No resumption: the keys of tickets live as long as the process, and what they cover would be no safer
    // than they are; and a client's certificate is to be looked at each time. A viewer connects once and
    // stays.
    SSL_CTX_set_options(context, SSL_OP_NO_TICKET);
    SSL_CTX_set_num_tickets(context, 0);
    SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
    if (auto used = useKeyPair(context, settings.certificateFile, settings.keyFile); !used) return used;
    return settings.clientCaFile.empty() ? Result<void>() : demandCertificate(context, settings.clientCaFile);
}

Result<void> applyTo(SSL_CTX* context, const ClientTls& settings) {
    ERR_clear_error();
    SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION);
    if (settings.certificateFile.empty()) return {};
    return useKeyPair(context, settings.certificateFile, settings.keyFile);
}

Result<void> tryOut(const ServerTls& settings) {
    return tryWith(TLS_server_method(), settings);
}

Result<void> tryOut(const ClientTls& settings) {
    return tryWith(TLS_client_method(), settings);
}

void expectAddress(SSL_CTX* context, const std::string& address) {
    X509_VERIFY_PARAM* rules = SSL_CTX_get0_param(context);
    X509_VERIFY_PARAM_set1_ip(rules, nullptr, 0);
    if (!address.empty()) X509_VERIFY_PARAM_set1_ip_asc(rules, address.c_str());
}

}  // namespace edgecam::uplink
