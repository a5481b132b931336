// A word from a running agent to whoever may read its data folder.
#include "agent/status_socket.hpp"

#include <doctest/doctest.h>

#include <filesystem>
#include <fstream>
#include <future>

#include "tests/support/main_context.hpp"
#include "tests/support/temp_folder.hpp"

using namespace edgecam;
using agent::askForStatus;
using agent::StatusSocket;

namespace {

/// What an asker gets while the main loop turns.
Result<std::string> asked(const std::string& path) {
    auto answer = std::async(std::launch::async, [&] { return askForStatus(path); });
    REQUIRE(
        test::waitUntil([&] { return answer.wait_for(std::chrono::seconds(0)) == std::future_status::ready; },
                        std::chrono::seconds(30)));
    return answer.get();
}

}  // namespace

TEST_CASE("who asks gets the report of that moment, one after the other") {
    const test::TempFolder folder;
    const std::string path = StatusSocket::pathIn(folder.path());
    int reports = 0;
    const auto socket =
        StatusSocket::open(path, [&] { return std::string(20'000, 'x') + std::to_string(++reports); });
    REQUIRE(socket);
    CHECK(asked(path)->substr(20'000) == "1");
    CHECK(asked(path)->substr(20'000) == "2");
}

TEST_CASE("an agent that ended, or was killed, is said not to run; the next one answers") {
    const test::TempFolder folder;
    const std::string path = StatusSocket::pathIn(folder.path());
    const std::string none = "no agent runs with this config (" + path + ")";
    CHECK(askForStatus(path).error().message == none);
    {
        const auto first = StatusSocket::open(path, [] { return std::string("first"); });
        REQUIRE(first);
        std::filesystem::create_hard_link(path, folder.path() + "/left");
    }
    CHECK(askForStatus(path).error().message == none);
    std::filesystem::rename(folder.path() + "/left", path);  // as after a kill
    CHECK(askForStatus(path).error().message == none);
    const auto second = StatusSocket::open(path, [] { return std::string("second"); });
    REQUIRE(second);
    CHECK(*asked(path) == "second");
}

TEST_CASE("a path that is no socket's is said") {
    const test::TempFolder folder;
    const std::string deep = folder.path() + "/" + std::string(120, 'x');
    CHECK(StatusSocket::open(deep, [] { return std::string(); })
              .error()
              .message.ends_with("too long for the name of a socket"));
    CHECK(askForStatus(deep).error().message.ends_with("too long for the name of a socket"));
    const std::string file = folder.path() + "/file";
    std::ofstream(file).put('x');
    CHECK_FALSE(askForStatus(file));
    CHECK_FALSE(StatusSocket::open(folder.path() + "/none/status.sock", [] { return std::string(); }));
}
