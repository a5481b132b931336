#include "uplink/ip_address.hpp"

#include <arpa/inet.h>
#include <doctest/doctest.h>
#include <netinet/in.h>

using edgecam::uplink::forwardedFor;
using edgecam::uplink::IpAddress;

TEST_CASE("only numeric addresses are addresses") {
    for (const char* text : {"192.0.2.1", "::1", "2001:db8::1", "::ffff:192.0.2.1"}) {
        CAPTURE(text);
        CHECK(IpAddress::parse(text));
    }
    for (const char* text :
         {"", "localhost", "192.0.2", "192.0.2.1:80", "[::1]", "::1%lo", " ::1", "1.2.3.4.5"}) {
        CAPTURE(text);
        CHECK_FALSE(IpAddress::parse(text));
    }
    CHECK(IpAddress::parse("192.0.2.1") == IpAddress::parse("::ffff:192.0.2.1"));
    CHECK(IpAddress::parse("::1") != IpAddress::parse("127.0.0.1"));
    CHECK(IpAddress::parse("::ffff:192.0.2.1")->text() == "192.0.2.1");
    CHECK(IpAddress::parse("2001:DB8:0:1::1")->network().text() == "2001:db8:0:1::");
}

TEST_CASE("an address as accept() gives it is the same as its text") {
    sockaddr_storage storage{};
    auto& four = reinterpret_cast<sockaddr_in&>(storage);
    four.sin_family = AF_INET;
    four.sin_addr.s_addr = htonl(0xC0000201);
    CHECK(IpAddress::of(storage) == IpAddress::parse("192.0.2.1"));
    sockaddr_storage other{};
    auto& six = reinterpret_cast<sockaddr_in6&>(other);
    six.sin6_family = AF_INET6;
    REQUIRE(inet_pton(AF_INET6, "::ffff:192.0.2.1", &six.sin6_addr) == 1);
    CHECK(IpAddress::of(other) == IpAddress::parse("192.0.2.1"));
    CHECK(IpAddress::of(sockaddr_storage{}) == IpAddress());
}

TEST_CASE("of a proxy's header the last address counts: the others are the client's own words") {
    const auto wanted = IpAddress::parse("192.0.2.7");
    for (const char* header : {"192.0.2.7", "10.0.0.1, 192.0.2.7", "unknown,192.0.2.7 ",
                               "::1, 192.0.2.7:4711", "evil, [::ffff:192.0.2.7]:80", "[::ffff:192.0.2.7]"}) {
        CAPTURE(header);
        CHECK(forwardedFor(header) == wanted);
    }
    CHECK(forwardedFor("2001:db8::7") == IpAddress::parse("2001:db8::7"));
    for (const char* header : {"", "unknown", "192.0.2.7,", "192.0.2.7, _hidden", "[", "[]", ":", "]"}) {
        CAPTURE(header);
        CHECK_FALSE(forwardedFor(header));
    }
}
