// A probe that answers, one that says nonsense, one that hangs: with programs that do just that.
#include "agent/probe_run.hpp"

#include <doctest/doctest.h>
#include <sys/stat.h>

#include <fstream>
#include <optional>
#include <string>

#include "agent/main_loop.hpp"
#include "tests/support/temp_folder.hpp"

using namespace edgecam;
using namespace edgecam::agent;
using namespace std::chrono_literals;

namespace {

class Program {
  public:
    explicit Program(const std::string& script) : path_(folder_.path() + "/probe") {
        std::ofstream(path_) << "#!/bin/sh\n" << script << "\n";
        chmod(path_.c_str(), 0700);
    }
    [[nodiscard]] const std::string& path() const { return path_; }
    [[nodiscard]] std::string folder() const { return folder_.path(); }

  private:
    edgecam::test::TempFolder folder_;
    std::string path_;
};

/// What a probe with this script comes to.
Result<std::string> outcome(const std::string& script, Microseconds within = 60s,
                            const std::string& source = {}) {
    const Program program(script);
    MainLoop loop;
    std::optional<Result<std::string>> said;
    const auto run = ProbeRun::start(
        {.model = "/m", .source = source, .within = within, .program = program.path()}, [&](auto what) {
            said = std::move(what);
            loop.quit();
        });
    REQUIRE(run);
    CHECK((*run)->running());
    loop.run();
    return *said;
}

}  // namespace

TEST_CASE("what the program prints is the report") {
    CHECK(*outcome(R"(echo '{ "devices": [] }')") == R"({"devices":[]})");
}

TEST_CASE("a source goes in by the standard input, where nobody else reads it") {
    const auto report =
        outcome(R"(read line; echo "{\"words\":\"$*\",\"line\":\"$line\"}")", 60s, "rtsp://u:p@h/");
    REQUIRE(report);
    CHECK(*report == R"({"words":"probe --json --model /m --source -","line":"rtsp://u:p@h/"})");
}

TEST_CASE("what is no report is none") {
    for (const char* script : {"exit 1", "echo 7", "echo '{'", "kill -9 $$", "head -c 300000 /dev/zero"}) {
        CAPTURE(script);
        const auto report = outcome(script);
        REQUIRE_FALSE(report);
        CHECK(report.error().message.starts_with("the probe said"));
    }
}

TEST_CASE("one that hangs is ended, and that is said") {
    const auto report = outcome("exec sleep 1000", 1ms);
    REQUIRE_FALSE(report);
    CHECK(report.error().message.find("took longer") != std::string::npos);
}

TEST_CASE("one that nobody waits for any more is ended") {
    const Program program(R"(exec 3> "$(dirname "$0")/alive"; echo x >&3; exec sleep 1000)");
    const std::string alive = program.folder() + "/alive";
    REQUIRE(mkfifo(alive.c_str(), 0600) == 0);
    auto run = ProbeRun::start({.model = {}, .source = {}, .within = 60s, .program = program.path()},
                               [](const auto&) { FAIL("said something"); });
    REQUIRE(run);
    std::ifstream pipe(alive);  // waits for the program
    std::string line;
    CHECK(std::getline(pipe, line));
    *run = nullptr;
    CHECK_FALSE(std::getline(pipe, line));  // which held it open until its end
}

TEST_CASE("a program that is not there cannot be started") {
    CHECK_FALSE(ProbeRun::start({.model = {}, .source = {}, .within = 1s, .program = "/nowhere/edgecam"},
                                [](const auto&) {}));
}
