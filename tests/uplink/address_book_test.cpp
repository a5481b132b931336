#include "uplink/address_book.hpp"

#include <doctest/doctest.h>

#include <array>
#include <cstdio>
#include <string>

using namespace std::chrono_literals;
using edgecam::Microseconds;
using edgecam::Monotonic;
using edgecam::uplink::AddressBook;
using edgecam::uplink::IpAddress;

namespace {

IpAddress address(const std::string& text) {
    const auto parsed = IpAddress::parse(text);
    REQUIRE_MESSAGE(parsed, text);
    return *parsed;
}

}  // namespace

TEST_SUITE("address book") {
    TEST_CASE("ten wrong tokens of an address at once, then one in six seconds; others do not wait") {
        AddressBook book({});
        Monotonic now{};
        const IpAddress guesser = address("192.0.2.1");
        for (int i = 0; i < 10; ++i) {
            CHECK(book.waitOf(guesser, now) == 0us);
            book.wrongToken(guesser, now);
        }
        CHECK(book.waitOf(guesser, now) > 5s);
        CHECK(book.waitOf(guesser, now) <= 6s + 1us);
        CHECK(book.waitOf(address("192.0.2.2"), now) == 0us);
        now += book.waitOf(guesser, now);
        CHECK(book.waitOf(guesser, now) == 0us);
        book.wrongToken(guesser, now);
        CHECK(book.waitOf(guesser, now) > 0us);
        now += 1min;
        for (int i = 0; i < 10; ++i) book.wrongToken(guesser, now);
        CHECK(book.waitOf(guesser, now) > 0us);
    }

    TEST_CASE("who asks all the time gets one try in six seconds for ever") {
        AddressBook book({});
        Monotonic now{};
        const IpAddress guesser = address("192.0.2.1");
        int tried = 0;
        for (; now < Monotonic{} + 10min; now += 1ms) {
            if (book.waitOf(guesser, now) > 0us) continue;
            book.wrongToken(guesser, now);
            ++tried;
        }
        CHECK(tried >= 109);
        CHECK(tried <= 110);
    }

    TEST_CASE("an IPv6 network of 64 bits is one, and so is an IPv4 address whichever way it is written") {
        AddressBook book({.triesAtOnce = 1});
        const Monotonic now{};
        book.wrongToken(address("2001:db8:0:1::1"), now);
        CHECK(book.waitOf(address("2001:db8:0:1:ffff::2"), now) > 0us);
        CHECK(book.waitOf(address("2001:db8:0:2::1"), now) == 0us);
        book.wrongToken(address("::ffff:192.0.2.1"), now);
        CHECK(book.waitOf(address("192.0.2.1"), now) > 0us);
        CHECK(book.waitOf(address("192.0.2.2"), now) == 0us);
    }

    TEST_CASE("whoever owns 65536 networks does not make it grow; the longest ago is forgotten first") {
        AddressBook book({.triesAtOnce = 1, .remembered = 1024});
        const Monotonic now{};
        const IpAddress patient = address("192.0.2.1");
        const IpAddress lively = address("192.0.2.2");
        const IpAddress first = address("2001:db8::1");
        book.wrongToken(patient, now);
        for (int network = 0; network < 65536; ++network) {
            std::array<char, 64> text{};
            std::snprintf(text.data(), text.size(), "2001:db8:0:%x::1", network);
            book.wrongToken(address(text.data()), now);
            book.wrongToken(lively, now);
            CHECK(book.size() <= 1024);
        }
        CHECK(book.size() == 1024);
        CHECK(book.waitOf(patient, now) == 0us);
        CHECK(book.waitOf(first, now) == 0us);
        CHECK(book.waitOf(lively, now) > 0us);
        CHECK(book.waitOf(address("2001:db8:0:ffff::1"), now) > 0us);
    }
}
