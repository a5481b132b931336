#include "uplink/doorkeeper.hpp"

#include <doctest/doctest.h>

#include <array>
#include <set>
#include <string>
#include <vector>

#include "tests/support/fake_clock.hpp"

using namespace std::chrono_literals;
using namespace edgecam::uplink;
using edgecam::test::FakeClock;

namespace {

/// Sockets are known by their pointers alone.
struct Sockets {
    std::array<char, 4> bytes{};
    [[nodiscard]] const lws* operator[](std::size_t at) const {
        return reinterpret_cast<const lws*>(&bytes.at(at));
    }
};

IpAddress address(const char* text) {
    return IpAddress::parse(text).value();
}

}  // namespace

TEST_SUITE("doorkeeper") {
    TEST_CASE("whose word about somebody else is not believed speaks for itself") {
        FakeClock clock;
        Doorkeeper door({}, {}, clock);
        const Sockets sockets;
        door.arrived(sockets[0], address("192.0.2.1"));
        door.arrived(sockets[1], address("192.0.2.1"));
        door.arrived(sockets[2], address("192.0.2.2"));
        door.asked(sockets[0], "198.51.100.1");
        CHECK(door.sameAddress(sockets[0], sockets[1]));
        CHECK_FALSE(door.sameAddress(sockets[0], sockets[2]));
        CHECK_FALSE(door.isProxy(sockets[0]));
        for (int i = 0; i < 10; ++i) door.wrongToken(sockets[0]);
        CHECK(door.waitOf(sockets[1]) > 0us);
        CHECK(door.waitOf(sockets[2]) == 0us);
        clock.advance(7s);
        CHECK(door.waitOf(sockets[1]) == 0us);
    }

    TEST_CASE("a trusted proxy speaks for its clients, one after the other, and for itself without a name") {
        FakeClock clock;
        Doorkeeper door({"127.0.0.1", "::1"}, {}, clock);
        const Sockets sockets;
        for (std::size_t i = 0; i < 3; ++i) door.arrived(sockets[i], address("127.0.0.1"));
        CHECK(door.isProxy(sockets[0]));
        door.asked(sockets[0], "10.0.0.9, 198.51.100.1");
        door.asked(sockets[1], "198.51.100.2");
        CHECK_FALSE(door.isProxy(sockets[0]));
        CHECK_FALSE(door.sameAddress(sockets[0], sockets[1]));
        for (int i = 0; i < 10; ++i) door.wrongToken(sockets[0]);
        CHECK(door.waitOf(sockets[0]) > 0us);
        CHECK(door.waitOf(sockets[1]) == 0us);
        CHECK(door.waitOf(sockets[2]) == 0us);
        door.asked(sockets[0], "198.51.100.2");
        CHECK(door.sameAddress(sockets[0], sockets[1]));
        door.asked(sockets[0], "");
        CHECK(door.isProxy(sockets[0]));
        CHECK(door.sameAddress(sockets[0], sockets[2]));
    }

    TEST_CASE("the oldest of the address that has most gives way, or just the oldest where none has more") {
        FakeClock clock;
        Doorkeeper door({"127.0.0.1"}, {}, clock);
        Sockets sockets;
        const auto at = [&](std::size_t place) { return const_cast<lws*>(sockets[place]); };
        const auto all = std::vector{at(0), at(1), at(2), at(3)};
        const auto arrive = [&](const std::vector<const char*>& addresses) {
            for (std::size_t i = 0; i < addresses.size(); ++i) door.arrived(at(i), address(addresses[i]));
        };
        arrive({"192.0.2.1", "192.0.2.2", "192.0.2.3", "192.0.2.2"});
        CHECK(door.whoGivesWay(all) == at(1));
        arrive({"192.0.2.1", "192.0.2.2", "192.0.2.3", "192.0.2.4"});
        CHECK(door.whoGivesWay(all) == at(0));
        arrive({"192.0.2.1", "127.0.0.1", "127.0.0.1", "127.0.0.1"});
        CHECK(door.whoGivesWay(all) == at(0));
        arrive({"127.0.0.1", "2001:db8::1", "192.0.2.1", "2001:db8::2"});
        CHECK(door.whoGivesWay(all) == at(1));
    }

    TEST_CASE("every denial has a word of its own, and an end is told by its code and words") {
        std::set<std::string> names;
        for (const Denial denial : allDenials()) {
            CHECK(names.insert(nameOf(denial)).second);
            const CloseWish wish = closeWishFor(denial);
            if (wish.code != 0) CHECK(denialOf(wish) == denial);
        }
        CHECK(names.size() == kDenialCount);
        CHECK(denialOf({4408, "no auth in time"}) == Denial::authTimeout);
        CHECK(denialOf({4410, "reads too slowly"}) == Denial::slowReader);
        CHECK(denialOf({1006, "reads too slowly"}) == Denial::slowReader);
        CHECK(denialOf({4400, "binary message"}) == Denial::badMessages);
        CHECK_FALSE(denialOf({1006, "going away"}));
        CHECK_FALSE(denialOf({1001, "going away"}));
        CHECK_FALSE(denialOf({1000, ""}));
        std::vector<Denial> heard;
        FakeClock clock;
        const Doorkeeper door(
            {}, [&](Denial why) { heard.push_back(why); }, clock);
        door.deny(Denial::foreignHost);
        CHECK(heard == std::vector{Denial::foreignHost});
    }
}
