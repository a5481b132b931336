#include "vision/turns.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cstdlib>
#include <optional>
#include <string>
#include <vector>

using namespace edgecam::vision;

namespace {

/// Has a picture every so many milliseconds; a newer one replaces one that waits.
struct Camera {
    int period = 0;
    int served = 0;
    int longestWait = 0;
    std::optional<int> waitsSince = {};

    void live(int from, int to) {
        for (int at = from + 1; at <= to; ++at) {
            if (at % period == 0 && !waitsSince) waitsSince = at;
        }
    }
    void serve(int now) {
        ++served;
        longestWait = std::max(longestWait, now - *waitsSince);
        waitsSince.reset();
    }
};

std::vector<Camera> after(int milliseconds, const std::vector<int>& periods, int cost) {
    std::vector<Camera> cameras;
    for (const int period : periods) cameras.push_back({.period = period});
    Turns<Camera> turns;
    for (Camera& camera : cameras) turns.join(&camera);
    for (int now = 0; now < milliseconds;) {
        Camera* const next = turns.next([](const Camera* camera) { return camera->waitsSince.has_value(); });
        const int then = now + (next ? cost : 1);
        if (next) next->serve(now);
        for (Camera& camera : cameras) camera.live(now, then);
        now = then;
    }
    return cameras;
}

/// Whose turn it is, by name, when those in `wanting` want one.
std::string nextOf(Turns<const char>& turns, const std::string& wanting) {
    const char* const who =
        turns.next([&](const char* name) { return wanting.find(*name) != std::string::npos; });
    return who ? std::string(1, *who) : "-";
}

}  // namespace

TEST_CASE("next is who was served the longest ago of those that want something") {
    const std::string names = "abc";
    Turns<const char> turns;
    CHECK(nextOf(turns, "abc") == "-");
    for (const char& name : names) turns.join(&name);
    struct Row {
        const char* wanting;
        const char* next;
    };
    const std::vector<Row> rows{{"abc", "a"}, {"abc", "b"}, {"abc", "c"}, {"abc", "a"},  // in turn
                                {"ab", "b"},  {"ab", "a"},  {"ab", "b"},                 // c wants nothing,
                                {"abc", "c"}, {"", "-"},    {"abc", "a"},                // then comes first
                                {"b", "b"},   {"b", "b"},   {"ab", "a"}};
    for (std::size_t i = 0; i < rows.size(); ++i) {
        CAPTURE(i);
        CHECK(nextOf(turns, rows[i].wanting) == rows[i].next);
    }
}

TEST_CASE("who comes stands behind all others, who has left is not asked any more") {
    const std::string names = "abcd";
    Turns<const char> turns;
    turns.join(&names[0]);
    turns.join(&names[1]);
    CHECK(nextOf(turns, "ab") == "a");
    turns.join(&names[2]);
    CHECK(nextOf(turns, "abc") == "b");
    CHECK(nextOf(turns, "abc") == "a");
    turns.leave(&names[2]);
    turns.leave(&names[3]);  // never came
    CHECK(nextOf(turns, "c") == "-");
    turns.join(&names[2]);
    CHECK(nextOf(turns, "abc") == "b");
    CHECK(turns.line().size() == 3);
}

TEST_CASE("where all together want too much the frequent get what the seldom leave, and alike") {
    struct Row {
        std::vector<int> periods;  ///< ms
        int cost;                  ///< of a picture, ms
        std::vector<int> served;   ///< in 60 s
    };
    const std::vector<Row> rows{
        {{100, 100}, 20, {600, 600}},                     // room for all
        {{25, 1000}, 50, {1140, 60}},                     // of 20 a second the seldom one misses none
        {{25, 25}, 50, {600, 600}},                       // alike
        {{25, 25, 200}, 50, {450, 450, 300}},             // 20 a second: 7.5, 7.5 and its 5
        {{25, 50, 100, 1000}, 100, {180, 180, 180, 60}},  // 10: 3 each and its 1
        {{100, 100, 100, 100}, 400, {38, 38, 37, 37}},    // a slow box
    };
    for (const Row& row : rows) {
        const auto cameras = after(60'000, row.periods, row.cost);
        CAPTURE(row.periods.size());
        CAPTURE(row.cost);
        for (std::size_t i = 0; i < cameras.size(); ++i) {
            CAPTURE(i);
            CHECK(std::abs(cameras[i].served - row.served[i]) <= 2);
            // A turn of each of the others, and the rest of the one that is under way.
            CHECK(cameras[i].longestWait <= static_cast<int>(cameras.size()) * row.cost);
        }
    }
}
