// The power goes at hundreds of points of a journal's life: what was committed is there afterwards.
#include <doctest/doctest.h>

#include <map>
#include <memory>
#include <random>

#include "tests/support/temp_folder.hpp"
#include "tests/uplink/faulty_disk.hpp"
#include "tests/uplink/journal_bench.hpp"

using namespace edgecam;
using namespace edgecam::uplink;
using namespace edgecam::uplink::test;
using edgecam::test::FaultyDisk;
using edgecam::test::TempFolder;

namespace {

/// One life of a journal, from power cut to power cut. Remembers what was committed, independently of it.
struct Life {
    explicit Life(std::uint32_t seed) : disk(seed), random(seed) {
        settings = settingsIn(folder.path(), {"hub", "cloud"});
        settings.maxBytes = 40'000;
    }

    std::size_t below(std::size_t limit) { return static_cast<std::size_t>(random()) % limit; }

    /// Works until the power goes. `newest`: what the last commit that was reported left.
    void work(JournalStore& store) {
        while (!disk.powerIsOut()) {
            std::vector<FaceEvent> events;
            for (std::size_t i = 1 + below(3); i > 0; --i) {
                const auto phase = static_cast<FacePhase>(below(3));
                ++number;
                events.push_back(pictureOf(number) > 0 ? picturedEvent(number, pictureOf(number), phase)
                                                       : eventNumbered(number, phase));
            }
            const std::int64_t before = store.newest();
            const auto done = store.commit({.events = events, .settle = below(8) == 0});
            if (!done) return;
            remember(store, before, events);
            if (below(4) == 0) pass(store, "hub");
            if (below(6) == 0) pass(store, "cloud");
        }
    }

    void remember(JournalStore& store, std::int64_t before, const std::vector<FaceEvent>& events) {
        CHECK(before >= told);  // numbers only grow, over every cut
        told = store.newest();
        // A commit's events have the numbers behind the newest before it, in order.
        std::int64_t seq = told;
        const auto page = store.read(before, 100, 1 << 20);
        if (!page) return;
        std::map<std::uint64_t, std::int64_t> seqs;
        for (const JournalRecord& record : page->records) {
            if (const FaceEvent* event = eventIn(record)) seqs[event->trackId] = record.seq;
        }
        for (const FaceEvent& event : events) {
            if (const auto found = seqs.find(event.trackId); found != seqs.end()) {
                seq = found->second;
                committed[seq] = event.eventId;
            }
        }
    }

    /// Some events have a picture, small ones and large ones.
    static std::size_t pictureOf(std::uint64_t number) {
        return number % 3 == 0 ? static_cast<std::size_t>(number * 97 % 6000) : 0;
    }

    /// The event's picture, whole, or none: it may have had to go.
    void checkPicture(JournalStore& store, std::int64_t seq, const FaceEvent& event) {
        const std::size_t bytes = pictureOf(event.trackId);
        CHECK(event.snapshot.has_value() == (bytes > 0));
        const auto jpeg = store.snapshot(seq);
        if (!event.snapshot || !jpeg || !*jpeg) return;
        CHECK(**jpeg == *picturedEvent(event.trackId, bytes).snapshot->jpeg);
        ++pictures;
    }

    void pass(JournalStore& store, const char* consumer) {
        const std::int64_t from = store.position(consumer);
        store.passed(consumer, from + static_cast<std::int64_t>(below(40)));
    }

    /// Everything committed is readable, told by a gap, or was passed by all (as far as they ever got).
    void check(JournalStore& store, std::int64_t passedByAll) {
        const JournalPage page = pageOf(store);
        std::map<std::int64_t, std::string> readable;
        std::vector<Gap> gaps;
        for (const JournalRecord& record : page.records) {
            if (const FaceEvent* event = eventIn(record)) {
                readable[record.seq] = event->eventId;
                checkPicture(store, record.seq, *event);
            }
            if (const Gap* gap = gapIn(record)) gaps.push_back(*gap);
        }
        for (const auto& entry : committed) {
            const std::int64_t seq = entry.first;
            if (seq <= passedByAll) continue;
            const auto found = readable.find(seq);
            const bool there = found != readable.end() && found->second == entry.second;
            const bool inGap = std::any_of(gaps.begin(), gaps.end(), [seq](const Gap& gap) {
                return gap.fromSeq <= seq && seq <= gap.toSeq;
            });
            if (!there && !inGap) FAIL_CHECK("seq " << seq << " is lost");
        }
        std::erase_if(committed, [&](const auto& entry) { return entry.first <= passedByAll; });
    }

    TempFolder folder;
    FaultyDisk disk;
    JournalSettings settings;
    std::mt19937 random;
    std::uint64_t number = 0;
    std::int64_t told = 0;
    int pictures = 0;                               ///< seen whole
    std::map<std::int64_t, std::string> committed;  ///< seq -> event id
};

void live(std::uint32_t seed, int cuts, JournalTuning tuning) {
    Life life(seed);
    std::string journal;
    std::int64_t passedByAll = 0;
    for (int cut = 0; cut < cuts; ++cut) {
        life.disk.cutPowerAfter(1 + static_cast<std::int64_t>(life.below(cut % 10 == 0 ? 2000 : 120)));
        {
            JournalStore store(life.settings, tuning);
            if (store.open()) {
                CHECK(store.newest() >= life.told);
                if (journal.empty()) journal = store.journal();
                life.work(store);
                passedByAll = std::max(passedByAll, std::min(store.position("hub"), store.position("cloud")));
            }
        }
        life.disk.powerReturns();
        JournalStore store(life.settings, tuning);
        const auto opened = store.open();
        REQUIRE_MESSAGE(opened, "cut " << cut << " of seed " << seed << ": " << opened.error().message);
        if (!journal.empty())
            REQUIRE_MESSAGE(store.journal() == journal, "cut " << cut << " of seed " << seed);
        journal = store.journal();
        life.check(store, passedByAll);
    }
    CHECK(life.number > 1000);
    CHECK(life.pictures > 100);
}

}  // namespace

TEST_CASE("what was committed survives hundreds of power cuts, and numbers only grow") {
    for (const std::uint32_t seed : {1U, 2U, 3U}) live(seed, 150, {});
}

TEST_CASE("and so it does when the log goes home all the time") {
    for (const std::uint32_t seed : {4U, 5U}) live(seed, 150, {.reserve = 5, .checkpointFrames = 12});
}
