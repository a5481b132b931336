#include "capture/rate_obedience.hpp"

#include <doctest/doctest.h>

#include <vector>

using namespace edgecam;
using namespace edgecam::capture;
using namespace std::chrono_literals;
using Verdict = RateObedience::Verdict;

namespace {

/// An encoder at 25 pictures a second, and what was said of it and when.
struct Bench {
    static constexpr Microseconds kInterval = 40ms;
    RateObedience obedience;
    Microseconds now{0};
    struct Said {
        Verdict verdict;
        Microseconds at;
    };
    std::vector<Said> said;

    /// Key frames of `keyBytes` every two seconds, if any. Ends early when it is built anew.
    void code(int kbps, Microseconds span, std::size_t keyBytes = 0) {
        for (const Microseconds end = now + span; now < end; now += kInterval) {
            const bool key = keyBytes > 0 && now % 2s == 0us;
            const auto bytes = static_cast<std::size_t>(kbps) * 1000 / 8 / 25;
            const Verdict verdict = obedience.coded(key ? keyBytes : bytes, now);
            if (verdict != Verdict::obeys) said.push_back({verdict, now});
            if (verdict != Verdict::rebuild) continue;
            obedience.restarted();
            now += kInterval;
            return;
        }
    }
};

}  // namespace

TEST_CASE_FIXTURE(Bench, "who gives what it was told hears nothing, through every change") {
    for (const int kbps : {4000, 500, 2000, 50, 51, 3000}) {
        obedience.aim(kbps);
        code(kbps, 5s, 40'000);
    }
    CHECK(said.empty());
}

TEST_CASE_FIXTURE(Bench, "less than told is the picture's business") {
    obedience.aim(4000);
    code(100, 10s);
    CHECK(said.empty());
}

TEST_CASE_FIXTURE(Bench, "who follows within a second hears nothing") {
    obedience.aim(4000);
    code(4000, 5s);
    obedience.aim(1000);
    code(4000, 160ms);
    code(1000, 10s);
    CHECK(said.empty());
}

TEST_CASE_FIXTURE(Bench, "who goes on as before is told again after a second, and built anew after another") {
    obedience.aim(4000);
    code(4000, 5s);
    obedience.aim(500);
    const Microseconds told = now;
    code(4000, 10s);
    REQUIRE(said.size() == 2);
    CHECK(said[0].verdict == Verdict::tellAgain);
    CHECK(said[0].at - told <= 1200ms);
    CHECK(said[1].verdict == Verdict::rebuild);
    CHECK(said[1].at - told <= 2300ms);
    code(500, 60s);
    CHECK(said.size() == 2);
}

TEST_CASE_FIXTURE(Bench, "many small steps down count from the highest of the last second") {
    obedience.aim(4000);
    code(4000, 5s);
    for (int kbps = 3900; kbps >= 1000; kbps -= 100) {
        obedience.aim(kbps);
        code(kbps + 100, 120ms);
    }
    CHECK(said.empty());
    for (int kbps = 900; kbps >= 400; kbps -= 100) {
        obedience.aim(kbps);
        code(4000, 200ms);
    }
    code(4000, 1s);
    CHECK(!said.empty());
}

TEST_CASE_FIXTURE(Bench, "one whose every change needs a rebuild gets it each time") {
    obedience.aim(4000);
    code(4000, 5s);
    int given = 4000;
    for (const int kbps : {2000, 1000, 500, 250}) {
        obedience.aim(kbps);
        const std::size_t before = said.size();
        code(given, 10s);
        REQUIRE(said.size() == before + 2);
        CHECK(said.back().verdict == Verdict::rebuild);
        given = kbps;
        code(given, 5s);
    }
}

TEST_CASE_FIXTURE(Bench, "where building anew does not help it becomes rare") {
    obedience.aim(300);
    while (now < 3h) code(2000, 3h - now);
    std::vector<Microseconds> rebuilds;
    for (const auto& [verdict, at] : said) {
        if (verdict == Verdict::rebuild) rebuilds.push_back(at);
    }
    REQUIRE(rebuilds.size() >= 5);
    CHECK(rebuilds.size() <= 9);
    CHECK(rebuilds[1] - rebuilds[0] >= RateObedience::kFutilePause);
    CHECK(rebuilds.back() - rebuilds[rebuilds.size() - 2] >= 30min);
}

TEST_CASE_FIXTURE(Bench, "an aim that was taken back before the next picture never counted") {
    obedience.aim(4000);
    code(500, 3s);
    obedience.aim(500);
    code(500, 2s);
    obedience.aim(8000);
    obedience.aim(500);
    code(4000, 1200ms);
    CHECK_FALSE(said.empty());
}

TEST_CASE_FIXTURE(Bench, "a time that goes back begins anew") {
    obedience.aim(500);
    code(4000, 800ms);
    now = 0us;
    code(4000, 800ms);
    CHECK(said.empty());
    code(4000, 400ms);
    CHECK(said.size() == 1);
}
