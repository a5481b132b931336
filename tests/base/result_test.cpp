#include <doctest/doctest.h>

#include <memory>

#include "base/result.hpp"

using namespace edgecam;

namespace {
Result<int> half(int number) {
    if (number % 2 != 0) return Error{"odd"};
    return number / 2;
}
Result<void> mustBeEven(int number) {
    const auto result = half(number);
    if (!result) return result.error().within("check");
    return {};
}
}  // namespace

TEST_CASE("a result is a value or an error that gains context on the way up") {
    REQUIRE(half(4));
    CHECK(*half(4) == 2);
    CHECK(mustBeEven(2));
    REQUIRE_FALSE(mustBeEven(3));
    CHECK(mustBeEven(3).error().message == "check: odd");
}

TEST_CASE("a result moves what cannot be copied") {
    Result<std::unique_ptr<int>> made = std::make_unique<int>(5);
    const std::unique_ptr<int> taken = *std::move(made);
    CHECK(*taken == 5);
}
