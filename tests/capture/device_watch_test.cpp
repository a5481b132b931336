// A device that appears, in a folder that stands for /dev.
#include "capture/device_watch.hpp"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <utility>

#include "tests/support/temp_folder.hpp"

using namespace edgecam;
using namespace edgecam::capture;

namespace {

/// Events lie in the queue when the call returns that made them: one turn hears them.
void hearAll() {
    while (g_main_context_iteration(nullptr, FALSE) != FALSE) {
    }
}

}  // namespace

TEST_CASE("a video node that is made, or handed over by udev, is told, and nothing else") {
    const test::TempFolder folder;
    const auto pathOf = [&](const char* name) { return folder.path() + "/" + name; };
    const auto make = [&](const char* name) { REQUIRE(close(creat(pathOf(name).c_str(), 0600)) == 0); };
    int appeared = 0;
    const auto heard = [&] {
        hearAll();
        return std::exchange(appeared, 0) > 0;
    };
    DeviceWatch watch([&] { ++appeared; }, folder.path());
    make("ttyUSB0");
    CHECK_FALSE(heard());
    make("video3");
    CHECK(heard());
    REQUIRE(chmod(pathOf("ttyUSB0").c_str(), 0640) == 0);
    CHECK_FALSE(heard());
    REQUIRE(chmod(pathOf("video3").c_str(), 0640) == 0);
    CHECK(heard());
    REQUIRE(std::filesystem::create_directory(pathOf("v4l")));  // udev's links
    CHECK(heard());
    REQUIRE(unlink(pathOf("video3").c_str()) == 0);
    CHECK_FALSE(heard());
}

TEST_CASE("a folder that is not there is no trouble") {
    const DeviceWatch watch([] { FAIL("nothing appeared"); }, "/nonexistent");
    CHECK_FALSE(std::filesystem::exists("/nonexistent"));
}
