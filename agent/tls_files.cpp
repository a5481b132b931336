#include "agent/tls_files.hpp"

#include "base/log.hpp"
#include "uplink/certificate_files.hpp"
#include "uplink/own_certificate.hpp"
#include "uplink/request_policy.hpp"

namespace edgecam::agent {
namespace {

Result<void> checkServer(const ServerConfig& server) {
    const uplink::ServerTls& tls = server.tls;
    if (tls.enabled()) {
        if (auto good = uplink::checkCertificate(tls.certificateFile); !good) {
            return good.error().within("/server/tls/cert_file");
        }
        if (auto good = uplink::checkKey(tls.keyFile, tls.certificateFile); !good) {
            return good.error().within("/server/tls/key_file");
        }
    }
    if (!tls.clientCaFile.empty()) {
        if (auto good = uplink::checkAuthorities(tls.clientCaFile); !good) {
            return good.error().within("/server/tls/client_ca_file");
        }
    }
    if (!tls.enabled()) return {};
    auto good = uplink::tryOut(tls);
    return good ? good : good.error().within("/server/tls");
}

Result<void> checkServerDates(const ServerConfig& server, Utc now) {
    if (!server.tls.enabled()) return {};
    auto valid = uplink::checkDates(server.tls.certificateFile, now);
    return valid ? valid : valid.error().within("/server/tls/cert_file");
}

}  // namespace

Result<void> checkUplinkTls(const UplinkConfig& uplink, const std::string& where, Utc now) {
    if (!uplink.caFile.empty()) {
        if (auto good = uplink::checkAuthorities(uplink.caFile); !good) {
            return good.error().within(where + "/ca_file");
        }
    }
    if (uplink.tls.certificateFile.empty()) return {};
    for (auto good : {uplink::checkCertificate(uplink.tls.certificateFile),
                      uplink::checkDates(uplink.tls.certificateFile, now)}) {
        if (!good) return good.error().within(where + "/client_cert_file");
    }
    if (auto good = uplink::checkKey(uplink.tls.keyFile, uplink.tls.certificateFile); !good) {
        return good.error().within(where + "/client_key_file");
    }
    auto good = uplink::tryOut(uplink.tls);
    return good ? good : good.error().within(where);
}

Result<void> checkTlsFiles(const Config& config, Utc now) {
    if (config.server.enabled) {
        if (auto good = checkServer(config.server); !good) return good;
        if (auto valid = checkServerDates(config.server, now); !valid) return valid;
    }
    for (std::size_t i = 0; i < config.uplinks.size(); ++i) {
        auto good = checkUplinkTls(config.uplinks[i], concat("/uplinks/", i), now);
        if (!good) return good;
    }
    return {};
}

Result<uplink::ServerTls> serverTls(const ServerConfig& server, const std::string& dataDir, Utc now) {
    if (auto good = checkServer(server); !good) return good.error();
    if (!server.selfSigned) {
        if (auto valid = checkServerDates(server, now); !valid) {
            logError("agent", valid.error().message,
                     "; it is served all the same, and viewers will refuse it");
        }
        return server.tls;
    }
    auto own = uplink::ownCertificate(dataDir, uplink::machineName(), server.address);
    if (!own) return own.error().within("/server/tls");
    own->clientCaFile = server.tls.clientCaFile;
    return own;
}

void warnOfPlain(const ServerConfig& server) {
    if (server.secure() || uplink::isLoopback(server.address)) return;
    logWarning("agent", "/server/listen: ", server.address,
               " is for other machines, and without /server/tls whoever is ",
               "on the way can read tokens and video; { \"self_signed\": true } is enough");
}

}  // namespace edgecam::agent
