#include <doctest/doctest.h>

#include <memory>
#include <thread>

#include "base/mailbox.hpp"

using namespace edgecam;
using namespace std::chrono_literals;

TEST_CASE("the newest item replaces an older one, and that is counted") {
    Mailbox<int> box;
    box.put(1);
    box.put(2);
    CHECK(box.takeWithin(0s) == 2);
    CHECK(box.replaced() == 1);
    CHECK_FALSE(box.takeWithin(0s).has_value());
}

TEST_CASE("a waiting consumer is woken by an item") {
    Mailbox<std::unique_ptr<int>> box;
    std::jthread producer([&] { box.put(std::make_unique<int>(7)); });
    const auto item = box.takeWithin(30s);
    REQUIRE(item.has_value());
    CHECK(**item == 7);
}

TEST_CASE("closing wakes the consumer with nothing and refuses what comes later") {
    Mailbox<int> box;
    std::jthread closer([&] { box.close(); });
    CHECK_FALSE(box.takeWithin(30s).has_value());
    closer.join();
    box.put(1);
    CHECK_FALSE(box.takeWithin(0s).has_value());
    CHECK(box.closed());
}

TEST_CASE("a box that was closed serves another consumer once it is opened again") {
    Mailbox<int> box;
    box.put(1);
    box.close();
    box.reopen();
    CHECK_FALSE(box.closed());
    CHECK_FALSE(box.takeWithin(0s).has_value());  // what lay in it is gone
    box.put(2);
    CHECK(box.takeWithin(0s) == 2);
}
