// TlsSettings: with which certificates the box speaks TLS, and what it agrees to: TLS 1.2 and 1.3 and, as a
// server, only suites with forward secrecy and authenticated encryption. Knows no socket and no
// libwebsockets.
#pragma once

#include <string>

#include "base/result.hpp"

struct ssl_ctx_st;

namespace edgecam::uplink {

/// Of the local server; without files it speaks plain.
struct ServerTls {
    std::string certificateFile;  ///< PEM, its chain may follow
    std::string keyFile;          ///< PEM, no passphrase
    std::string clientCaFile;     ///< PEM; viewers need a certificate of these authorities. Empty: none

    [[nodiscard]] bool enabled() const { return !certificateFile.empty(); }
    bool operator==(const ServerTls&) const = default;
};

/// Of an uplink, on what the box shows of itself.
struct ClientTls {
    std::string certificateFile;  ///< PEM, its chain may follow; empty: the box shows none
    std::string keyFile;          ///< PEM, no passphrase
    bool operator==(const ClientTls&) const = default;
};

/// Makes a fresh SSL_CTX serve by these rules. Blocks on the disk. Errors name the file.
Result<void> applyTo(ssl_ctx_st* context, const ServerTls& settings);
/// Makes a fresh SSL_CTX dial by these rules; whom it believes is left as it is. Blocks on the disk.
Result<void> applyTo(ssl_ctx_st* context, const ClientTls& settings);
/// Does the same with a context of its own: whether OpenSSL takes the files, which also have to be strong
/// enough.
Result<void> tryOut(const ServerTls& settings);
Result<void> tryOut(const ClientTls& settings);
/// From now on the other side's certificate must be for this numeric address; empty: for whatever the
/// connection says.
void expectAddress(ssl_ctx_st* context, const std::string& address);

}  // namespace edgecam::uplink
