#include <doctest/doctest.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>
#include <string>

#include "agent/data_dir.hpp"
#include "tests/support/temp_folder.hpp"

using namespace edgecam;
using agent::DataDir;

namespace {
unsigned modeOf(const std::string& path) {
    struct stat about {};
    REQUIRE(stat(path.c_str(), &about) == 0);
    return about.st_mode & 0777U;
}
}  // namespace

TEST_CASE("a token is made once, private, and found again") {
    const test::TempFolder temp;
    const std::string path = temp.path() + "/data";
    auto first = DataDir::open(path);
    REQUIRE(first);
    const auto token = first->ownToken();
    REQUIRE(token);
    CHECK(token->size() == 43);
    CHECK(modeOf(path) == 0700);
    CHECK(modeOf(path + "/token") == 0600);
    CHECK(*DataDir::open(path)->ownToken() == *token);
    CHECK(*DataDir::open(temp.path() + "/other")->ownToken() != *token);
}

TEST_CASE("a token's file that is damaged gives no token, and is said") {
    const test::TempFolder temp;
    auto data = DataDir::open(temp.path());
    REQUIRE(data);
    const std::string zeros(44, '\0');
    for (const std::string& content : {std::string(), std::string("\n"), zeros, std::string("half\x1b[2J")}) {
        std::ofstream(temp.path() + "/token") << content;
        const auto token = data->ownToken();
        REQUIRE_FALSE(token);
        CHECK(token.error().message.find("remove it to get a new token") != std::string::npos);
    }
    std::ofstream(temp.path() + "/token") << "my own\n";
    CHECK(*data->ownToken() == "my own");
}

TEST_CASE("cameras that were switched off are remembered") {
    const test::TempFolder temp;
    auto data = DataDir::open(temp.path());
    REQUIRE(data);
    CHECK(data->disabledCameras().empty());
    REQUIRE(data->rememberDisabled({"door", "yard"}));
    CHECK(DataDir::open(temp.path())->disabledCameras() == std::set<std::string>{"door", "yard"});
}

TEST_CASE("a broken file of cameras counts as none") {
    const test::TempFolder temp;
    std::ofstream(temp.path() + "/cameras.json") << "{broken";
    CHECK(DataDir::open(temp.path())->disabledCameras().empty());
}

TEST_CASE("what is used of data plans is remembered, to the byte") {
    const test::TempFolder temp;
    auto data = DataDir::open(temp.path());
    REQUIRE(data);
    CHECK(data->usedPlans().empty());
    const std::map<std::string, uplink::PlanRecord> plans{
        {R"(the "far" hub)",
         {.month = {{std::chrono::year(2026) / 7, uplink::DataPlan::kMostBytes}},
          .undated = 6,
          .earlier = {{std::chrono::year(2025) / 12, 0}}}},
        {"wss://hub/", {.month = {}, .undated = 12, .earlier = {}}}};
    REQUIRE(data->rememberPlans(plans));
    CHECK(modeOf(temp.path() + "/plans.json") == 0600);
    CHECK(DataDir::open(temp.path())->usedPlans() == plans);
}

TEST_CASE("of a broken file of data plans the entries that make sense count") {
    struct Row {
        const char* content;
        std::size_t left;
    };
    const test::TempFolder temp;
    for (const Row& row : {
             Row{"", 0},
             Row{R"({"uplinks":{}})", 0},
             Row{R"([1])", 0},
             Row{R"({"uplinks":[{"name":"a","month":"2026-07","bytes":1}, 7, {"undated":1}]})", 1},
             Row{R"({"uplinks":[{"name":"a","month":"2026-13","bytes":1},{"name":"b"}]})", 1},
             Row{R"({"uplinks":[{"name":"a","month":"1970-01","bytes":1}]})", 0},
             Row{R"({"uplinks":[{"name":"a","month":"2026-7x","bytes":1}]})", 0},
             Row{R"({"uplinks":[{"name":"a","month":"2026-07"}]})", 0},
             Row{R"({"uplinks":[{"name":"a","bytes":4}]})", 0},
             Row{R"({"uplinks":[{"name":"a","undated":-1}]})", 0},
             Row{R"({"uplinks":[{"name":"a","undated":1e300}]})", 0},
         }) {
        CAPTURE(row.content);
        std::ofstream(temp.path() + "/plans.json") << row.content;
        CHECK(DataDir::open(temp.path())->usedPlans().size() == row.left);
    }
}

TEST_CASE("a data folder that cannot be made is an error with its path") {
    const test::TempFolder temp;
    std::ofstream(temp.path() + "/file") << "x";
    const auto data = DataDir::open(temp.path() + "/file/below");
    REQUIRE_FALSE(data);
    CHECK(data.error().message.find("/file/below") != std::string::npos);
}
