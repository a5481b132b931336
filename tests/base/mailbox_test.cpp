#include <doctest/doctest.h>

#include <memory>
#include <optional>
#include <thread>
#include <vector>

#include "base/mailbox.hpp"

using namespace edgecam;

TEST_CASE("the newest item replaces an older one, and that is counted") {
    Mailbox<int> box;
    box.put(1);
    box.put(2);
    CHECK(box.take() == 2);
    CHECK(box.replaced() == 1);
    CHECK_FALSE(box.take().has_value());
}

TEST_CASE("an item that was taken leaves the box empty") {
    Mailbox<std::unique_ptr<int>> box;
    CHECK_FALSE(box.full());
    box.put(std::make_unique<int>(7));
    CHECK(box.full());
    const auto item = box.take();
    REQUIRE(item.has_value());
    CHECK(**item == 7);
    CHECK_FALSE(box.full());
}

TEST_CASE("whoever waits is told of each item when it is in the box, on the thread that put it there") {
    std::optional<Mailbox<int>> box;
    std::vector<int> taken;
    std::thread::id on;
    box.emplace([&] {
        on = std::this_thread::get_id();
        taken.push_back(box->take().value_or(0));
    });
    std::thread producer([&] { box->put(1); });
    const std::thread::id itself = producer.get_id();
    producer.join();
    CHECK(on == itself);
    box->put(2);
    CHECK(taken == std::vector{1, 2});
}
