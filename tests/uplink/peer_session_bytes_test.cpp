// Foreign bytes: requests broken in every way, thousands of them, from a fixed seed.
#include <doctest/doctest.h>

#include <iterator>
#include <random>
#include <string>
#include <vector>

#include "tests/uplink/session_bench.hpp"

using namespace std::chrono_literals;
using namespace edgecam;
using namespace edgecam::uplink;
using namespace edgecam::uplink::test;

namespace {

/// A request with some bytes of it changed, moved, doubled or gone.
std::string mutated(std::string text, std::mt19937& random) {
    const auto roll = [&](std::size_t sides) { return static_cast<std::size_t>(random()) % sides; };
    const std::string tokens[] = {"{",    "}",  "[",     "]",     "\"",      ":",   ",",
                                  "null", "-1", "1e999", "\"*\"", "\\u0000", "true"};
    for (std::size_t changes = 1 + roll(4); changes > 0 && !text.empty(); --changes) {
        const std::size_t at = roll(text.size());
        switch (roll(5)) {
            case 0:
                text[at] = static_cast<char>(roll(256));
                break;
            case 1:
                text.erase(at, 1 + roll(8));
                break;
            case 2:
                text.insert(at, tokens[roll(std::size(tokens))]);
                break;
            case 3:
                text.insert(at, text.substr(roll(text.size()), roll(12)));
                break;
            default:
                text.resize(at);
        }
    }
    return text;
}

}  // namespace

TEST_CASE("whatever bytes come, they are answered or understood, and nothing breaks") {
    std::vector<std::string> seeds;
    for (const auto& path : filesIn(protocolFolder() / "examples" / "peer_to_agent", ".json")) {
        seeds.push_back(readFile(path));
    }
    std::mt19937 random(20'260'722);
    int errors = 0;
    for (int i = 0; i < 6000; ++i) {
        SessionBench bench = i % 3 == 0 ? SessionBench::hub({}) : SessionBench::as("admin");
        if (i % 6 == 0) bench.say(R"({"type":"system","event":"authenticated"})");
        bench.hear();
        bench.agent->onSubmit = [&](const Command& command) {
            if (command.ticket != 0) bench.session->complete(command.ticket, Done{});
        };
        const std::string text = mutated(seeds[static_cast<std::size_t>(random()) % seeds.size()], random);
        CAPTURE(text);
        bench.say(text);
        const auto heard = bench.hear();  // checks each against the schema
        const auto parsed = parseJson(text);
        const bool readable =
            parsed && parsed->IsObject() && parsed->HasMember("type") && (*parsed)["type"].IsString();
        if (!readable) {
            REQUIRE_FALSE(heard.empty());
            CHECK(heard[0].type == "error");
            ++errors;
        } else if (requestSchema().complaint(*parsed) && i % 3 != 0) {
            REQUIRE_FALSE(heard.empty());
        }
        bench.later(100ms);
    }
    CHECK(errors > 1000);
}
