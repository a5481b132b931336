#include <doctest/doctest.h>
#include <openssl/ssl.h>
#include <openssl/x509_vfy.h>

#include <string>

#include "uplink/connect_faults.hpp"
#include "uplink/proxy_reply.hpp"
#include "uplink/proxy_url.hpp"

using namespace edgecam;
using namespace edgecam::uplink;

TEST_SUITE("ways to a hub") {
    TEST_CASE("a proxy's address is read with its credentials, and shown without them") {
        const auto plain = parseProxyUrl("http://proxy.example:3128");
        REQUIRE(plain);
        CHECK(plain->host == "proxy.example");
        CHECK(plain->port == 3128);
        CHECK(plain->credentials.empty());
        const auto guarded = parseProxyUrl("http://me:p%40ss:w@[2001:db8::1]:8080/");
        REQUIRE(guarded);
        CHECK(guarded->host == "2001:db8::1");
        CHECK(guarded->credentials == "me:p@ss:w");
        CHECK(guarded->shown() == "[2001:db8::1]:8080");
    }

    TEST_CASE("an address that is none is refused without quoting it") {
        for (const char* text :
             {"", "proxy.example:3128", "https://hush@proxy:1", "socks5://hush:hush@proxy:1", "http://proxy",
              "http://hush:hush@proxy/", "http://hush@proxy:0", "http://:3128",
              "http://me:hush@proxy:3128/path", "http://proxy:3128?hush", "http://pro xy:3128",
              "http://a%3Ab:hush@proxy:1", "http://me:hush%zz@proxy:1", "http://:hush@proxy:1",
              "http://hush%40proxy:1", "http://proxy%0d%0ahush:1", "http://hush%2Fproxy:1"}) {
            CAPTURE(text);
            const auto proxy = parseProxyUrl(text);
            REQUIRE_FALSE(proxy);
            CHECK(proxy.error().message.find("hush") == std::string::npos);
        }
        CHECK(parseProxyUrl("http://me:" + std::string(90, 'p') + "@proxy:1"));
        CHECK_FALSE(parseProxyUrl("http://me:" + std::string(91, 'p') + "@proxy:1"));
    }

    TEST_CASE("the status of a proxy's answer is read, whatever stands in its place") {
        CHECK(proxyStatusOf("HTTP/1.1 407 Proxy Authentication Required\r\n") == 407);
        CHECK(proxyStatusOf("HTTP/1.0 200") == 200);
        for (const char* text :
             {"", "HTTP/1.", "HTTP/1.1 40", "HTTP/2 200 OK", "HTTP/1.1 4x7 ", "220 mail.example"}) {
            CAPTURE(text);
            CHECK(proxyStatusOf(text) == 0);
        }
    }

    TEST_CASE("what goes wrong is said so that somebody can do something") {
        const Utc now{};
        const auto says = [](const std::string& text, const char* part) {
            CAPTURE(text);
            CHECK(text.find(part) != std::string::npos);
        };
        says(certificateFault(X509_V_ERR_CERT_NOT_YET_VALID, "hub", now), "this box takes for 1970-01-01");
        says(certificateFault(X509_V_ERR_CERT_HAS_EXPIRED, "hub", now), "(certificate has expired)");
        says(certificateFault(X509_V_ERR_HOSTNAME_MISMATCH, "hub.example", now),
             "another name than hub.example");
        says(certificateFault(X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY, "hub", now), "ca_file");
        says(certificateFault(X509_V_ERR_CERT_REVOKED, "hub", now), "(certificate revoked)");
        says(alertFault(SSL_AD_CERTIFICATE_REQUIRED, false),
             "wants a certificate of this box, client_cert_file");
        says(alertFault(SSL_AD_HANDSHAKE_FAILURE, false), "may want a certificate");
        says(alertFault(SSL_AD_HANDSHAKE_FAILURE, true), "(handshake failure)");
        says(alertFault(SSL_AD_UNKNOWN_CA, true), "does not accept this box's certificate");
        says(alertFault(SSL_AD_PROTOCOL_VERSION, false), "neither TLS 1.2 nor 1.3");
        says(connectFault("proxy not h1", "proxy:3128", false), "the proxy proxy:3128 opens no way");
        says(proxyFault(407, "proxy:3128"), "the proxy proxy:3128 wants another user name and password");
        says(proxyFault(403, "proxy:3128"), "does not allow this hub");
        says(proxyFault(502, "proxy:3128"), "does not reach the hub (HTTP 502)");
        says(proxyFault(404, "proxy:3128"), "opens no way to the hub (HTTP 404)");
        says(connectFault("proxy conn dead", "proxy:3128", false), "broke the connection off");
        says(connectFault("Unable to connect", "proxy:3128", false),
             "the proxy proxy:3128 cannot be reached");
        says(connectFault("Unable to connect", "", false), "the hub cannot be reached");
        says(connectFault("connect SSL err 1: error:00000001:lib(0)::reason(1)", "", false), "speaks no TLS");
        says(connectFault("connect SYSCALL 104", "", false), "in the TLS handshake");
        says(connectFault("read failed", "", false), "before it answered");
        says(connectFault("read failed", "", true), "may not accept this box's certificate");
        says(connectFault("Timed out", "proxy:3128", false), "Timed out, going through the proxy proxy:3128");
        says(connectFault("", "", false), "no connection");
        CHECK(connectFault("server's cert didn't look good: 9\n", "", false) ==
              "server's cert didn't look good: 9?");
        says(connectFault("anything", "", false), "anything");
    }
}
