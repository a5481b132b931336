#include "uplink/request_policy.hpp"

#include <doctest/doctest.h>

using edgecam::uplink::bearerToken;
using edgecam::uplink::isLoopback;
using edgecam::uplink::RequestPolicy;

namespace {

const RequestPolicy policy({"https://console.example"}, {"camera.example", "proxy.example:8443"}, "edgebox");

}  // namespace

TEST_CASE("addresses, localhost, our name, .local names and listed names are hosts of ours") {
    for (const char* host :
         {"127.0.0.1", "127.0.0.1:8080", "192.168.1.7:80", "[::1]", "[fe80::1]:8080", "localhost",
          "LocalHost:8080", "edgebox", "EdgeBox:8080", "edgebox.", "edgebox.local", "front-door.local:8080",
          "camera.example", "camera.example:8080", "proxy.example:8443"}) {
        CAPTURE(host);
        CHECK(policy.hostAllowed(host));
    }
}

TEST_CASE("foreign and malformed hosts are not") {
    for (const char* host : {"", "evil.example", "evil.example:8080", "local", "edgebox.evil.example",
                             "127.0.0.1.evil.example", "proxy.example", "proxy.example:8080", "[::1", "[]",
                             ":80", "localhost:", "localhost:http", "localhost:123456", "user@localhost"}) {
        CAPTURE(host);
        CHECK_FALSE(policy.hostAllowed(host));
    }
}

TEST_CASE("an absent origin, the same host and a listed origin may open a stream") {
    CHECK(policy.originAllowed("", "127.0.0.1:8080"));
    CHECK(policy.originAllowed("http://127.0.0.1:8080", "127.0.0.1:8080"));
    CHECK(policy.originAllowed("http://EDGEBOX.local:8080", "edgebox.local:8080"));
    CHECK(policy.originAllowed("http://localhost", "localhost:80"));
    CHECK(policy.originAllowed("https://localhost:443", "localhost"));
    CHECK(policy.originAllowed("http://[::1]:8080", "[::1]:8080"));
    CHECK(policy.originAllowed("https://console.example", "127.0.0.1:8080"));
}

TEST_CASE("another host, another port, another scheme's port or an opaque origin may not") {
    CHECK_FALSE(policy.originAllowed("http://evil.example", "127.0.0.1:8080"));
    CHECK_FALSE(policy.originAllowed("http://127.0.0.1:8081", "127.0.0.1:8080"));
    CHECK_FALSE(policy.originAllowed("https://localhost", "localhost:80"));
    CHECK_FALSE(policy.originAllowed("http://console.example", "127.0.0.1:8080"));
    CHECK_FALSE(policy.originAllowed("null", "127.0.0.1:8080"));
    CHECK_FALSE(policy.originAllowed("file://", "127.0.0.1:8080"));
    CHECK_FALSE(policy.originAllowed("http://127.0.0.1:8080@evil.example", "127.0.0.1:8080"));
}

TEST_CASE("an address of this machine alone is told from all others") {
    for (const char* here : {"127.0.0.1", "127.8.9.10", "::1", "::ffff:127.0.0.1"}) {
        CAPTURE(here);
        CHECK(isLoopback(here));
    }
    for (const char* elsewhere : {"", "localhost", "192.0.2.1", "128.0.0.1", "0.0.0.0", "::", "::2",
                                  "::ffff:192.0.2.1", "127.0.0.1.evil", "fe80::1"}) {
        CAPTURE(elsewhere);
        CHECK_FALSE(isLoopback(elsewhere));
    }
}

TEST_CASE("a bearer token is read from its header, other schemes give none") {
    CHECK(bearerToken("Bearer secret") == "secret");
    CHECK(bearerToken("bearer   secret ") == "secret");
    CHECK_FALSE(bearerToken("Basic c2VjcmV0"));
    CHECK_FALSE(bearerToken("Bearer "));
    CHECK_FALSE(bearerToken("Bearer"));
    CHECK_FALSE(bearerToken(""));
}
