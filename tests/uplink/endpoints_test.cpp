#include <doctest/doctest.h>

#include <set>

#include "tests/support/fake_clock.hpp"
#include "uplink/endpoints.hpp"

using namespace edgecam;
using namespace edgecam::uplink;
using namespace std::chrono_literals;

namespace {

std::vector<HubUrl> hubs(int count) {
    std::vector<HubUrl> urls;
    for (int i = 0; i < count; ++i) urls.push_back(*parseHubUrl("ws://hub-" + std::to_string(i) + "/"));
    return urls;
}

}  // namespace

TEST_SUITE("Endpoints") {
    TEST_CASE("connections are spread: the least used hub is next, any of those that are equal") {
        const Monotonic now(1000s);
        double chance = 0;
        Endpoints endpoints(hubs(3), [&] { return chance; });
        std::set<std::size_t> first;
        for (const double drawn : {0.0, 0.34, 0.99}) {
            chance = drawn;
            Endpoints fresh(hubs(3), [&] { return chance; });
            first.insert(fresh.choose(now));
        }
        CHECK(first == std::set<std::size_t>{0, 1, 2});
        chance = 0;
        CHECK(endpoints.choose(now) == 0);
        CHECK(endpoints.choose(now) == 1);
        CHECK(endpoints.choose(now) == 2);
        CHECK(endpoints.choose(now) == 0);
    }

    TEST_CASE("a hub that failed is left out for a minute, or until nothing else is left") {
        Monotonic now(1000s);
        Endpoints endpoints(hubs(2), [] { return 0.0; });
        CHECK(endpoints.choose(now) == 0);
        endpoints.failed(0, now);
        CHECK(endpoints.anyFresh(now));
        CHECK(endpoints.choose(now) == 1);
        now += 1s;
        endpoints.failed(1, now);
        CHECK_FALSE(endpoints.anyFresh(now));
        CHECK(endpoints.choose(now) == 0);  // it failed first
        endpoints.failed(0, now + 1s);
        CHECK(endpoints.choose(now + 1s) == 1);
        endpoints.works(1);
        CHECK(endpoints.anyFresh(now));
        now += 2min;
        CHECK(endpoints.choose(now) == 0);
    }
}
