#include "uplink/journal_store.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cctype>
#include <map>
#include <random>
#include <set>

#include "tests/support/temp_folder.hpp"
#include "tests/uplink/faulty_disk.hpp"
#include "tests/uplink/journal_bench.hpp"
#include "uplink/trusted_time.hpp"

using namespace std::chrono_literals;
using namespace edgecam;
using namespace edgecam::uplink;
using namespace edgecam::uplink::test;
using edgecam::test::FaultyDisk;
using edgecam::test::TempFolder;

namespace {

void checkSame(const FaceEvent& a, const FaceEvent& b) {
    CHECK(a.eventId == b.eventId);
    CHECK(a.cameraId == b.cameraId);
    CHECK(a.phase == b.phase);
    CHECK(a.trackId == b.trackId);
    CHECK(a.timestamp == b.timestamp);
    CHECK(a.clockSynced == b.clockSynced);
    CHECK(a.firstSeen == b.firstSeen);
    CHECK(a.lastSeen == b.lastSeen);
    CHECK(a.face.box == b.face.box);
    CHECK(a.face.confidence == b.face.confidence);
    CHECK(a.face.landmarks == b.face.landmarks);
    CHECK(a.frame.sequence == b.frame.sequence);
    CHECK(a.frame.captureTime == b.frame.captureTime);
    CHECK(a.frame.size == b.frame.size);
    CHECK(a.quality == b.quality);
    CHECK(a.zones == b.zones);
    CHECK(a.zonesEntered == b.zonesEntered);
    CHECK(a.zonesLeft == b.zonesLeft);
    REQUIRE(a.best.has_value() == b.best.has_value());
    if (a.best) {
        CHECK(a.best->quality == b.best->quality);
        CHECK(a.best->box == b.best->box);
        CHECK(a.best->frame.sequence == b.best->frame.sequence);
        CHECK(a.best->frame.captureTime == b.best->frame.captureTime);
        CHECK(a.best->frame.size == b.best->frame.size);
    }
    CHECK(a.path == b.path);
}

}  // namespace

TEST_CASE("what is stored comes back to the last bit") {
    const TempFolder folder;
    JournalStore store(settingsIn(folder.path()));
    REQUIRE(store.open());
    FaceEvent plain = eventNumbered(1);
    FaceEvent odd = eventNumbered(~0ULL, FacePhase::leave);
    odd.eventId = "not a UUID, \xc3\xa9";
    odd.cameraId = std::string(64, 'x');
    odd.clockSynced = false;
    odd.timestamp = Utc(Microseconds(-5));  // a box that boots before 1970 got far
    odd.firstSeen = odd.timestamp - 90s;
    odd.lastSeen = odd.timestamp - 3us;
    odd.face.landmarks.reset();
    odd.frame = {0xffffffff, odd.timestamp - 7us, {7680, 4320}};
    odd.quality = 0.75F;
    odd.zones = {"gate", ""};
    odd.zonesEntered = {std::string(300, 'z')};
    odd.zonesLeft = {"gate", "gate"};
    odd.best = BestShot{0.9F, {7, odd.timestamp - 1s, {1920, 1080}}, {0.1F, 0.2F, 0.3F, 0.4F}};
    for (std::size_t i = 0; i < FaceEvent::kMostPathPoints; ++i) {
        odd.path.push_back({{0.01F * static_cast<float>(i), -0.5F}, std::chrono::hours(i)});
    }
    FaceEvent upper = eventNumbered(3, FacePhase::update);
    for (char& letter : upper.eventId)
        letter = static_cast<char>(std::toupper(static_cast<unsigned char>(letter)));
    const std::vector<FaceEvent> events{plain, odd, upper};
    REQUIRE(commit(store, events));
    store.close();
    REQUIRE(store.open());
    const JournalPage page = pageOf(store);
    REQUIRE(page.records.size() == 3);
    for (std::size_t i = 0; i < 3; ++i) checkSame(*eventIn(page.records[i]), events[i]);
    CHECK(page.newest == page.records.back().seq);
    CHECK(page.journal.size() == 36);
}

TEST_CASE("a page ends at its count and at its bytes, and the next goes on there") {
    const TempFolder folder;
    JournalStore store(settingsIn(folder.path()));
    REQUIRE(store.open());
    std::vector<FaceEvent> events;
    for (std::uint64_t i = 0; i < 300; ++i) events.push_back(eventNumbered(i));
    REQUIRE(commit(store, events));
    std::vector<std::uint64_t> seen;
    std::int64_t after = 0;
    while (true) {
        const auto page = store.read(after, 7, 100'000);
        REQUIRE(page);
        if (page->records.empty()) break;
        CHECK(page->records.size() <= 7);
        for (const std::uint64_t number : numbersOn(*page)) seen.push_back(number);
        after = page->records.back().seq;
    }
    REQUIRE(seen.size() == 300);
    CHECK(std::is_sorted(seen.begin(), seen.end()));
    const auto small = store.read(0, 100, 1500);
    REQUIRE(small);
    CHECK(small->records.size() == 3);
}

TEST_CASE("a number is never given twice, though everything was passed and the file was opened again") {
    const FaultyDisk disk;
    const TempFolder folder;
    std::int64_t last = 0;
    std::string journal;
    for (std::uint64_t run = 0; run < 5; ++run) {
        JournalStore store(settingsIn(folder.path()));
        REQUIRE(store.open());
        if (run > 0) CHECK(store.journal() == journal);
        journal = store.journal();
        for (std::uint64_t i = 0; i < 200; ++i) {
            REQUIRE(commit(store, {eventNumbered(i)}));
            const JournalPage page = pageOf(store, store.newest() - 1);
            REQUIRE(page.records.size() == 1);
            CHECK(page.records[0].seq > last);
            last = page.records[0].seq;
        }
        store.passed("hub", last);
        REQUIRE(commit(store, {}, true));
        CHECK(store.records() == 0);
        CHECK(store.bytes() == 0);
        CHECK(store.unsettled() == 0);
        CHECK(store.newest() == last);
    }
}

TEST_CASE("a record stays until every consumer has passed it") {
    const TempFolder folder;
    const auto settings = settingsIn(folder.path(), {"hub", "cloud"});
    JournalStore store(settings);
    REQUIRE(store.open());
    for (std::uint64_t i = 1; i <= 10; ++i) REQUIRE(commit(store, {eventNumbered(i)}));
    store.passed("hub", store.newest());
    REQUIRE(commit(store, {}, true));
    CHECK(store.records() == 10);
    store.passed("cloud", 4);
    store.passed("cloud", 2);  // older: nothing
    store.passed("stranger", 9);
    CHECK(store.unsettled() == 4);
    REQUIRE(commit(store, {}, true));
    CHECK(store.records() == 6);
    store.close();

    JournalStore again(settings);
    REQUIRE(again.open());
    CHECK(again.position("hub") == 10);
    CHECK(again.position("cloud") == 4);
    CHECK(again.position("stranger") == 0);
    CHECK(numbersOn(pageOf(again)) == std::vector<std::uint64_t>{5, 6, 7, 8, 9, 10});
    again.close();

    // Without "cloud" nobody waits for the rest; it is forgotten, and would begin anew.
    JournalStore without(settingsIn(folder.path(), {"hub"}));
    REQUIRE(without.open());
    CHECK(without.records() == 0);
    without.close();
    JournalStore with(settings);
    REQUIRE(with.open());
    CHECK(with.position("cloud") == 0);
    CHECK(with.position("hub") == 10);
}

TEST_CASE("nobody passes what is not there yet") {
    const TempFolder folder;
    JournalStore store(settingsIn(folder.path()));
    REQUIRE(store.open());
    REQUIRE(commit(store, {eventNumbered(1)}));
    store.passed("hub", 1'000'000);
    CHECK(store.position("hub") == store.newest());
    REQUIRE(commit(store, {eventNumbered(2)}, true));
    CHECK(numbersOn(pageOf(store)) == std::vector<std::uint64_t>{2});
}

TEST_CASE("when the bytes run out, updates go first, and a gap says which") {
    const FaultyDisk disk;
    const TempFolder folder;
    auto settings = settingsIn(folder.path());
    settings.maxBytes = 16'000;
    JournalStore store(settings);
    REQUIRE(store.open());
    std::set<std::uint64_t> important;
    std::int64_t discarded = 0;
    for (std::uint64_t i = 1; i <= 400; ++i) {
        const FacePhase phase = i % 10 == 0   ? FacePhase::leave
                                : i % 10 == 1 ? FacePhase::enter
                                              : FacePhase::update;
        if (phase != FacePhase::update) important.insert(i);
        const std::vector<FaceEvent> events{eventNumbered(i, phase)};
        const auto done = store.commit({.events = events});
        REQUIRE(done);
        discarded += *done;
        CHECK(store.bytes() <= settings.maxBytes);
    }
    CHECK(discarded > 250);
    const JournalPage page = pageOf(store);
    std::int64_t told = 0;
    for (const JournalRecord& record : page.records) {
        if (const FaceEvent* event = eventIn(record)) important.erase(event->trackId);
        if (const Gap* gap = gapIn(record)) {
            CHECK(gap->reason == "full");
            CHECK(gap->toSeq == record.seq);
            told += gap->count;
        }
    }
    CHECK(important.empty());
    CHECK(told == discarded);

    // With nothing but ends left, the oldest of them go.
    for (std::uint64_t i = 401; i <= 800; ++i) REQUIRE(commit(store, {eventNumbered(i, FacePhase::leave)}));
    CHECK(store.bytes() <= settings.maxBytes);
    const auto left = numbersOn(pageOf(store));
    CHECK(left.back() == 800);
    CHECK(left.front() > 401);
}

TEST_CASE("gaps do not grow without bound") {
    const FaultyDisk disk;
    const TempFolder folder;
    auto settings = settingsIn(folder.path());
    settings.maxBytes = 2000;
    JournalStore store(settings);
    REQUIRE(store.open());
    std::int64_t discarded = 0;
    for (std::uint64_t i = 1; i <= 3000; ++i) {
        const std::vector<FaceEvent> events{eventNumbered(i)};
        const auto done = store.commit({.events = events});
        REQUIRE(done);
        discarded += *done;
    }
    const JournalPage page = pageOf(store);
    CHECK(page.records.size() < 60);
    std::int64_t told = 0;
    std::int64_t last = 0;
    for (const JournalRecord& record : page.records) {
        CHECK(record.seq > last);
        last = record.seq;
        if (const Gap* gap = gapIn(record)) told += gap->count;
    }
    CHECK(told == discarded);
}

TEST_CASE("only trustworthy times make an event too old") {
    const TempFolder folder;
    auto settings = settingsIn(folder.path());
    settings.maxAge = 24h;
    JournalStore store(settings);
    REQUIRE(store.open());
    const Utc now = eventNumbered(0).timestamp + std::chrono::hours(48);
    FaceEvent unsynced = eventNumbered(1);
    unsynced.clockSynced = false;
    FaceEvent booted = eventNumbered(2);
    booted.timestamp = Utc(100s);  // said to be synced, and cannot be
    FaceEvent old = eventNumbered(3);
    FaceEvent young = eventNumbered(4);
    young.timestamp = now - 23h;
    REQUIRE(commit(store, {unsynced, booted, old, young}));
    const auto done = store.commit({.now = now});
    REQUIRE(done);
    CHECK(*done == 1);
    const JournalPage page = pageOf(store);
    CHECK(numbersOn(page) == std::vector<std::uint64_t>{1, 2, 4});
    const Gap* gap = gapIn(page.records[2]);  // in its place
    REQUIRE(gap != nullptr);
    CHECK(gap->reason == "too_old");
    CHECK(gap->count == 1);
    CHECK(gap->fromSeq == 3);
    CHECK(gap->toSeq == 3);
}

TEST_CASE("trusted time comes from synced clocks, and the earlier of two holds") {
    TrustedTime time;
    const Monotonic start{1h};
    const Utc wall{std::chrono::seconds(1'700'000'000)};
    CHECK_FALSE(time.now(start));
    time.synced(Utc(5s), start);  // 1970
    CHECK_FALSE(time.now(start));
    time.synced(wall, start);
    CHECK(*time.now(start + 10s) == wall + 10s);
    time.synced(wall + 24h * 365, start + 20s);  // a clock that was set wrong
    CHECK(*time.now(start + 20s) == wall + 20s);
    time.synced(wall + 10s, start + 30s);
    CHECK(*time.now(start + 40s) == wall + 20s);
}

TEST_CASE("at all times an event is readable, passed by all, or told by a gap that can be read") {
    std::mt19937 random(20261122);
    const auto below = [&](std::size_t limit) { return static_cast<std::size_t>(random()) % limit; };
    const FaultyDisk disk;
    const TempFolder folder;
    auto settings = settingsIn(folder.path(), {"hub", "cloud"});
    settings.maxBytes = 8000;
    settings.maxAge = 20s;
    auto store = std::make_unique<JournalStore>(settings);
    REQUIRE(store->open());
    std::map<std::int64_t, std::uint64_t> given;  // seq -> number
    std::uint64_t number = 0;
    for (int step = 0; step < 1500; ++step) {
        std::vector<FaceEvent> events;
        for (std::size_t i = below(4); i > 0; --i) {
            events.push_back(eventNumbered(++number, static_cast<FacePhase>(below(3))));
            events.back().clockSynced = below(3) > 0;
        }
        JournalStore::Work work{.events = events, .settle = below(5) == 0};
        if (below(10) == 0) work.now = eventNumbered(number).timestamp;
        const std::int64_t before = store->newest();
        REQUIRE(store->commit(work));
        if (below(40) == 0) {
            store->close();
            REQUIRE(store->open());
        }
        const JournalPage page = pageOf(*store);
        std::set<std::int64_t> readable;
        std::vector<const JournalRecord*> gaps;
        for (const JournalRecord& record : page.records) {
            readable.insert(record.seq);
            if (gapIn(record) != nullptr) {
                gaps.push_back(&record);
            } else if (record.seq > before) {
                given[record.seq] = eventIn(record)->trackId;
            }
        }
        const std::int64_t hub = store->position("hub");
        const std::int64_t cloud = store->position("cloud");
        for (const auto& entry : given) {
            const std::int64_t seq = entry.first;
            if (seq <= std::min(hub, cloud) || readable.contains(seq)) continue;
            const bool told = std::any_of(gaps.begin(), gaps.end(), [seq, hub, cloud](const auto* record) {
                const Gap* gap = gapIn(*record);
                return gap->fromSeq <= seq && seq <= gap->toSeq && record->seq > std::min(hub, cloud);
            });
            CHECK_MESSAGE(told, "event " << entry.second << " with seq " << seq << " in step " << step);
        }
        if (page.records.empty()) continue;
        if (below(3) == 0) store->passed("hub", page.records[below(page.records.size())].seq);
        if (below(9) == 0) store->passed("cloud", page.records[below(page.records.size())].seq);
    }
}

TEST_CASE("consumers may change while the file is open") {
    const TempFolder folder;
    JournalStore store(settingsIn(folder.path(), {"hub", "cloud"}));
    REQUIRE(store.open());
    for (std::uint64_t i = 1; i <= 4; ++i) REQUIRE(commit(store, {eventNumbered(i)}));
    store.passed("hub", 3);
    store.passed("cloud", 1);
    REQUIRE(commit(store, {}, true));

    // Who stays stands where it stood, though it was passed only in memory; the new one gets what is there.
    store.passed("hub", 4);
    store.keepFor({"hub", "east"});
    CHECK(store.position("hub") == 4);
    CHECK(store.position("east") == 0);
    CHECK(store.position("cloud") == 0);
    store.passed("cloud", 4);
    CHECK(numbersOn(pageOf(store)) == std::vector<std::uint64_t>{2, 3, 4});
    REQUIRE(commit(store, {}, true));
    CHECK(store.records() == 3);  // the new one has not got them

    // Nobody waits for the rest when it goes again.
    store.keepFor({"hub"});
    REQUIRE(commit(store, {}, true));
    CHECK(store.records() == 0);
    store.close();
    JournalStore again(settingsIn(folder.path(), {"hub", "cloud"}));
    REQUIRE(again.open());
    CHECK(again.position("hub") == 4);
    CHECK(again.position("cloud") == 0);
}

TEST_CASE("consumers may change while there is no file, and count once it is open") {
    const TempFolder folder;
    JournalStore store(settingsIn(folder.path(), {"hub"}));
    store.keepFor({"east"});
    REQUIRE(store.open());
    REQUIRE(commit(store, {eventNumbered(1)}));
    store.passed("hub", 1);
    REQUIRE(commit(store, {}, true));
    CHECK(store.records() == 1);
    store.passed("east", 1);
    REQUIRE(commit(store, {}, true));
    CHECK(store.records() == 0);
}
