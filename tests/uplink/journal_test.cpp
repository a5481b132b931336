#include "uplink/journal.hpp"

#include <doctest/doctest.h>

#include <atomic>
#include <future>

#include "base/heartbeat.hpp"
#include "tests/support/fake_clock.hpp"
#include "tests/support/temp_folder.hpp"
#include "tests/uplink/faulty_disk.hpp"
#include "tests/uplink/journal_bench.hpp"
#include "tests/uplink/journal_listener.hpp"

using namespace std::chrono_literals;
using namespace edgecam;
using namespace edgecam::uplink;
using namespace edgecam::uplink::test;
using edgecam::test::FakeClock;
using edgecam::test::FaultyDisk;
using edgecam::test::TempFolder;

namespace {

/// Counts how often somebody wants to know the time: a thread that runs in circles does so all the time.
struct CountingClock final : Clock {
    [[nodiscard]] Monotonic monotonic() const override {
        ++looks_;
        return hands.monotonic();
    }
    [[nodiscard]] Utc utc() const override { return hands.utc(); }
    void advance(Microseconds step) { hands.advance(step); }
    void jumpWallClock(Microseconds step) { hands.jumpWallClock(step); }
    [[nodiscard]] std::int64_t looks() const { return looks_; }

    FakeClock hands;
    mutable std::atomic<std::int64_t> looks_{0};
};

/// A journal on a disk in memory, with a clock whose hands the test turns. Any call shows the thread the
/// time.
struct Room {
    explicit Room(std::vector<std::string> consumers = {"hub"})
        : settings(settingsIn(folder.path(), std::move(consumers))) {}

    void open() { journal = Journal::open(settings, clock, listener.callbacks()); }
    void close() { journal.reset(); }
    void advance(Microseconds step) {
        clock.advance(step);
        positionOf(*journal, "hub");
    }
    /// One event, committed.
    void store(std::uint64_t number) {
        const std::size_t before = listener.committed.size();
        journal->append(eventNumbered(number));
        clock.advance(20ms);
        journal->read(0, 0, 0, [](const JournalPage&) {});
        REQUIRE(listener.waitFor([&] { return listener.committed.size() > before; }));
    }

    TempFolder folder;
    FaultyDisk disk;
    CountingClock clock;
    JournalListener listener;
    JournalSettings settings;
    std::unique_ptr<Journal> journal;
};

}  // namespace

TEST_CASE("a burst is one commit, 20 ms after its first event") {
    Room room;
    room.open();
    CHECK(readAll(*room.journal).records.empty());
    for (std::uint64_t i = 1; i <= 10; ++i) {
        room.journal->append(eventNumbered(i));
        room.advance(1ms);
    }
    CHECK(room.journal->status().commits == 0);
    room.advance(10ms);
    REQUIRE(room.listener.waitFor([&] { return !room.listener.committed.empty(); }));
    CHECK(room.journal->status().commits == 1);
    CHECK(room.journal->status().committed == 10);
    const JournalPage page = readAll(*room.journal);
    CHECK(page.records.size() == 10);
    CHECK(room.listener.committed == std::vector{page.newest});
    CHECK(page.journal == room.journal->status().journal);
}

TEST_CASE("the end of a journal commits what waits, and the next one goes on behind it") {
    Room room;
    room.open();
    const std::string journal = readAll(*room.journal).journal;
    for (std::uint64_t i = 1; i <= 5; ++i) room.journal->append(eventNumbered(i));
    room.close();
    CHECK(room.listener.committed.size() == 1);
    room.open();
    const JournalPage page = readAll(*room.journal);
    CHECK(page.journal == journal);
    CHECK(numbersOn(page) == std::vector<std::uint64_t>{1, 2, 3, 4, 5});
    room.store(6);
    CHECK(numbersOn(readAll(*room.journal)).back() == 6);
    CHECK(readAll(*room.journal).newest > page.newest);
}

TEST_CASE("positions are kept, and count only for their journal") {
    Room room({"hub", "cloud"});
    room.open();
    room.store(1);
    room.store(2);
    const JournalPage page = readAll(*room.journal);
    room.journal->passed("hub", "another-journal", page.newest);
    CHECK(positionOf(*room.journal, "hub") == 0);
    room.journal->passed("hub", page.journal, page.newest);
    room.journal->passed("hub", page.journal, 1);
    room.journal->passed("stranger", page.journal, page.newest);
    CHECK(positionOf(*room.journal, "hub") == page.newest);
    CHECK(positionOf(*room.journal, "cloud") == 0);
    room.close();
    room.open();
    CHECK(positionOf(*room.journal, "hub") == page.newest);
    CHECK(readAll(*room.journal).records.size() == 2);
    room.journal->passed("cloud", page.journal, page.newest);
    room.close();
    room.open();
    CHECK(readAll(*room.journal).records.empty());
}

TEST_CASE("positions wait for company, ten minutes at most") {
    Room room;
    room.open();
    room.store(1);
    const JournalPage page = readAll(*room.journal);
    const std::int64_t syncs = room.disk.syncs();
    room.journal->passed("hub", page.journal, page.newest);
    CHECK(positionOf(*room.journal, "hub") == page.newest);
    room.advance(9min);
    CHECK(room.disk.syncs() == syncs);
    CHECK(room.journal->status().records == 1);
    room.advance(1min);
    room.advance(0ms);
    CHECK(room.disk.syncs() > syncs);
    CHECK(room.journal->status().records == 0);
}

TEST_CASE("with nobody to keep events for, none are kept") {
    Room room;
    room.open();
    room.store(1);
    room.close();
    room.settings.consumers.clear();
    room.open();
    room.journal->append(eventNumbered(2));
    CHECK(readAll(*room.journal).records.empty());
    room.close();
    CHECK(room.listener.unstored.empty());
}

TEST_CASE("a full disk: events are told, unstored, until it has room again") {
    Room room;
    room.open();
    room.store(1);
    room.disk.failWith(SQLITE_FULL);
    room.journal->append(eventNumbered(2));
    room.advance(20ms);
    REQUIRE(room.listener.waitFor([&] { return room.listener.unstored.size() == 1; }));
    JournalStatus status = room.journal->status();
    CHECK_FALSE(status.ok);
    CHECK(status.trouble.find("full") != std::string::npos);
    CHECK(status.unstored == 1);
    CHECK(numbersOn(readAll(*room.journal)) == std::vector<std::uint64_t>{1});  // reading goes on

    // Tried again after 1 s, then 2, ... and told at once in between.
    const std::int64_t steps = room.disk.steps();
    room.journal->append(eventNumbered(3));
    room.advance(500ms);
    REQUIRE(room.listener.waitFor([&] { return room.listener.unstored.size() == 2; }));
    room.advance(500ms);
    room.advance(1s);
    CHECK_FALSE(room.journal->status().ok);
    CHECK(room.disk.steps() == steps);

    room.disk.failWith(SQLITE_OK);
    room.advance(1s);
    REQUIRE(room.listener.waitFor([&] { return room.listener.changes.back().ok; }));
    CHECK(room.journal->status().trouble.empty());
    room.store(4);
    CHECK(numbersOn(readAll(*room.journal)) == std::vector<std::uint64_t>{1, 4});
    CHECK(room.listener.unstored == std::vector<std::uint64_t>{2, 3});
}

TEST_CASE("a disk that cannot be opened is tried again, up to once a minute") {
    for (const int code : {SQLITE_READONLY, SQLITE_FULL, SQLITE_IOERR_WRITE}) {
        CAPTURE(code);
        Room room;
        room.disk.failWith(code);
        room.open();
        REQUIRE(room.listener.waitFor([&] { return !room.listener.changes.empty(); }));
        CHECK_FALSE(room.journal->status().ok);
        CHECK(room.journal->status().journal.empty());
        CHECK(readAll(*room.journal).journal.empty());
        std::promise<std::int64_t> where;  // answered when there is a database
        room.journal->position("hub", [&](const std::string&, std::int64_t seq) { where.set_value(seq); });
        room.journal->append(eventNumbered(1));
        for (int i = 0; i < 10; ++i) {
            room.clock.advance(60s);
            readAll(*room.journal);
        }
        CHECK(room.listener.unstored == std::vector<std::uint64_t>{1});
        room.disk.failWith(SQLITE_OK);
        room.clock.advance(60s);
        readAll(*room.journal);
        CHECK(where.get_future().get() == 0);
        CHECK(room.journal->status().ok);
        room.store(2);
        CHECK(numbersOn(readAll(*room.journal)) == std::vector<std::uint64_t>{2});
    }
}

TEST_CASE("a disk that is full at the start hides nothing of what is there") {
    Room room({"hub", "cloud"});
    room.open();
    for (std::uint64_t i = 1; i <= 3; ++i) room.store(i);
    const std::string journal = room.journal->status().journal;
    room.journal->passed("hub", journal, 2);
    room.close();
    room.disk.failWith(SQLITE_FULL);
    room.open();
    readAll(*room.journal);
    CHECK_FALSE(room.journal->status().ok);
    room.disk.failWith(SQLITE_OK);
    room.advance(1s);
    CHECK(positionOf(*room.journal, "hub") == 2);
    room.store(4);
    CHECK(numbersOn(readAll(*room.journal)) == std::vector<std::uint64_t>{1, 2, 3, 4});
    CHECK(room.journal->status().records == 4);
    CHECK(room.journal->status().journal == journal);
}

TEST_CASE("while it is in trouble, the journal's thread sleeps") {
    Room room;
    room.disk.failWith(SQLITE_IOERR_WRITE);
    room.open();
    readAll(*room.journal);
    const std::int64_t looks = room.clock.looks();
    room.journal->append(eventNumbered(1));
    room.clock.advance(40ms);
    readAll(*room.journal);
    std::promise<void> never;  // that nothing happens takes a while to see
    CHECK(never.get_future().wait_for(50ms) == std::future_status::timeout);
    CHECK(room.clock.looks() - looks < 40);
}

TEST_CASE("a disk that turns read-only or breaks on the way keeps what it had") {
    for (const int code : {SQLITE_READONLY, SQLITE_IOERR_WRITE, SQLITE_IOERR_FSYNC}) {
        CAPTURE(code);
        Room room;
        room.open();
        room.store(1);
        const std::string journal = room.journal->status().journal;
        room.disk.failWith(code);
        room.journal->append(eventNumbered(2));
        room.advance(20ms);
        REQUIRE(room.listener.waitFor([&] { return room.listener.unstored.size() == 1; }));
        CHECK_FALSE(room.journal->status().ok);
        room.disk.failWith(SQLITE_OK);
        room.advance(1s);
        CHECK(room.journal->status().ok);
        CHECK(room.journal->status().journal == journal);
        room.store(3);
        const auto numbers = numbersOn(readAll(*room.journal));
        CHECK(numbers.front() == 1);
        CHECK(numbers.back() == 3);
        CHECK(room.journal->status().setAside.empty());
    }
}

TEST_CASE("the queue in front of a disk that stands still is bounded, and what does not fit is told") {
    Room room;
    room.open();
    readAll(*room.journal);
    std::promise<void> goOn;
    std::shared_future<void> gate = goOn.get_future().share();
    std::promise<void> stuck;
    room.journal->read(0, 0, 0, [&](const JournalPage&) {
        stuck.set_value();
        gate.wait();
    });
    stuck.get_future().wait();
    for (std::uint64_t i = 1; i <= 5000; ++i) room.journal->append(eventNumbered(i));
    CHECK(room.listener.unstored.size() == 5000 - 4096);
    CHECK(room.listener.unstored.front() == 4097);
    CHECK(room.journal->status().unstored == 5000 - 4096);
    goOn.set_value();
    room.close();
    room.open();
    CHECK(readAll(*room.journal).records.size() == 4096);
}

TEST_CASE("too old is what a synced clock says, not one that jumps") {
    Room room;
    room.settings.maxAge = 24h;
    room.clock.jumpWallClock(eventNumbered(1).timestamp - room.clock.utc());
    room.open();
    room.store(1);
    room.clock.jumpWallClock(24h * 365);  // somebody set it wrong, and says it is right
    room.store(2);
    room.advance(2h);
    CHECK(numbersOn(readAll(*room.journal)) == std::vector<std::uint64_t>{1, 2});
    CHECK(room.journal->status().discarded == 0);
    room.advance(23h);
    room.advance(0ms);
    CHECK(room.journal->status().discarded == 2);
    CHECK(gapIn(readAll(*room.journal).records.back())->reason == "too_old");
}

TEST_CASE("a journal's thread shows that it turns, and new consumers are its own from then on") {
    Room room;
    room.open();
    const auto turns = [] {
        std::uint64_t sum = 0;
        for (const auto& sign : Heartbeat::all()) sum += sign.name == "journal" ? sign.turns : 0;
        return sum;
    };
    const auto before = turns();
    room.store(1);
    CHECK(turns() > before);
    room.journal->keepFor({"hub", "east"});
    room.journal->passed("east", "", 0);
    CHECK(positionOf(*room.journal, "east") == 0);
    std::promise<std::size_t> records;
    room.journal->readFor("east", 10, 1 << 20,
                          [&](const JournalPage& page) { records.set_value(page.records.size()); });
    CHECK(records.get_future().get() == 1);
}
