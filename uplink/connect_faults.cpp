#include "uplink/connect_faults.hpp"

#include <openssl/ssl.h>
#include <openssl/x509_vfy.h>

#include <array>
#include <ctime>

#include "base/foreign_words.hpp"
#include "base/log.hpp"

namespace edgecam::uplink {
namespace {

std::string dayOf(Utc time) {
    const std::time_t seconds = std::chrono::system_clock::to_time_t(time);
    std::tm parts{};
    std::array<char, 32> text{};
    gmtime_r(&seconds, &parts);
    return std::string(text.data(), std::strftime(text.data(), text.size(), "%Y-%m-%d", &parts));
}

std::string whatToDo(int code, const std::string& host, Utc now) {
    switch (code) {
        case X509_V_ERR_CERT_HAS_EXPIRED:
        case X509_V_ERR_CERT_NOT_YET_VALID:
            return concat("it is not valid today, which this box takes for ", dayOf(now));
        case X509_V_ERR_HOSTNAME_MISMATCH:
        case X509_V_ERR_IP_ADDRESS_MISMATCH:
            return concat("it is for another name than ", host);
        case X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT:
        case X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN:
        case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT:
        case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
        case X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE:
            return "no authority that this box believes stands for it, ca_file can name one";
        default:
            return "it breaks a rule";
    }
}

}  // namespace

std::string certificateFault(int code, const std::string& host, Utc now) {
    return concat("the hub's certificate is not accepted: ", whatToDo(code, host, now), " (",
                  X509_verify_cert_error_string(code), ")");
}

std::string alertFault(int alert, bool shown) {
    const std::string words = SSL_alert_desc_string_long(alert);
    switch (alert) {
        case SSL_AD_CERTIFICATE_REQUIRED:
            // OpenSSL 3.0 has no words for this one.
            return "the hub wants a certificate of this box, client_cert_file names one";
        case SSL_AD_HANDSHAKE_FAILURE:
            if (shown) break;
            return concat("the hub broke the TLS handshake off; it may want a certificate of this box, ",
                          "client_cert_file names one (", words, ")");
        case SSL_AD_BAD_CERTIFICATE:
        case SSL_AD_UNSUPPORTED_CERTIFICATE:
        case SSL_AD_CERTIFICATE_REVOKED:
        case SSL_AD_CERTIFICATE_EXPIRED:
        case SSL_AD_CERTIFICATE_UNKNOWN:
        case SSL_AD_UNKNOWN_CA:
        case SSL_AD_ACCESS_DENIED:
            return concat("the hub does not accept this box's certificate, client_cert_file (", words, ")");
        case SSL_AD_PROTOCOL_VERSION:
            return concat("the hub speaks neither TLS 1.2 nor 1.3 (", words, ")");
        default:
            break;
    }
    return concat("the hub broke the TLS handshake off (", words, ")");
}

std::string proxyFault(int status, const std::string& proxy) {
    switch (status) {
        case 407:
            return concat("the proxy ", proxy, " wants another user name and password (HTTP 407)");
        case 403:
            return concat("the proxy ", proxy, " does not allow this hub (HTTP 403)");
        case 502:
        case 503:
        case 504:
            return concat("the proxy ", proxy, " does not reach the hub (HTTP ", status, ")");
        default:
            return concat("the proxy ", proxy, " opens no way to the hub (HTTP ", status, ")");
    }
}

std::string connectFault(std::string_view words, const std::string& proxy, bool shown) {
    if (words == "proxy not h1") {
        return concat("the proxy ", proxy,
                      " opens no way to the hub: it wants another user name and password, does ",
                      "not allow or not reach the hub, or is none");
    }
    if (words == "proxy conn dead" || words == "proxy read err" || words == "proxy write failed") {
        return concat("the proxy ", proxy, " broke the connection off");
    }
    if (words == "Unable to connect") {
        return proxy.empty() ? "the hub cannot be reached: nothing answers at its address"
                             : concat("the proxy ", proxy, " cannot be reached");
    }
    if (words.starts_with("connect SSL err")) {
        return "the TLS handshake failed: what answers there speaks no TLS, or none that this box takes";
    }
    if (words.starts_with("connect SYSCALL")) return "the hub broke the connection off in the TLS handshake";
    if (words == "read failed") {
        return concat("the hub broke the connection off before it answered",
                      shown ? "; it may not accept this box's certificate, client_cert_file" : "");
    }
    const std::string said = words.empty() ? "no connection" : harmless(words);
    return proxy.empty() ? said : concat(said, ", going through the proxy ", proxy);
}

}  // namespace edgecam::uplink
