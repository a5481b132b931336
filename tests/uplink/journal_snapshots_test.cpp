// Pictures of faces in the journal: kept with their events, gone with them, and before any of them.
#include <doctest/doctest.h>

#include <future>

#include "tests/support/fake_clock.hpp"
#include "tests/support/temp_folder.hpp"
#include "tests/uplink/journal_bench.hpp"
#include "tests/uplink/journal_listener.hpp"

using namespace edgecam;
using namespace edgecam::uplink;
using namespace edgecam::uplink::test;
using edgecam::test::TempFolder;

namespace {

std::int64_t rowsIn(const std::string& path, const char* table) {
    SqliteFile file;
    file.open(path);
    const std::int64_t rows = Statement(file, std::string("SELECT count(*) FROM ") + table).number();
    REQUIRE_FALSE(file.failed());
    return rows;
}

const Snapshot& snapshotIn(const JournalRecord& record) {
    REQUIRE(eventIn(record) != nullptr);
    REQUIRE(eventIn(record)->snapshot);
    return *eventIn(record)->snapshot;
}

SharedBytes snapshotOf(JournalStore& store, std::int64_t seq) {
    const auto jpeg = store.snapshot(seq);
    REQUIRE(jpeg);
    return *jpeg;
}

}  // namespace

TEST_CASE("a picture is kept with its event, over restarts; a page brings the small ones") {
    const TempFolder folder;
    const FaceEvent small = picturedEvent(1, 4096);
    const FaceEvent large = picturedEvent(2, 4097);
    const FaceEvent plain = eventNumbered(3);
    {
        JournalStore store(settingsIn(folder.path()));
        REQUIRE(store.open());
        REQUIRE(commit(store, {small, large, plain}));
        CHECK(store.bytes() > 8193);
    }
    JournalStore store(settingsIn(folder.path()));
    REQUIRE(store.open());
    CHECK(store.bytes() > 8193);
    const JournalPage page = pageOf(store);
    REQUIRE(page.records.size() == 3);
    CHECK(snapshotIn(page.records[0]).size.width == 120);
    CHECK(snapshotIn(page.records[0]).size.height == 90);
    CHECK(*snapshotIn(page.records[0]).jpeg == *small.snapshot->jpeg);
    CHECK(page.records[0].bytes > 4096 / 3 * 4);
    CHECK(snapshotIn(page.records[1]).bytes == 4097);
    CHECK_FALSE(snapshotIn(page.records[1]).jpeg);
    CHECK(page.records[1].bytes < 1000);
    CHECK_FALSE(eventIn(page.records[2])->snapshot);

    CHECK(*snapshotOf(store, page.records[0].seq) == *small.snapshot->jpeg);
    CHECK(*snapshotOf(store, page.records[1].seq) == *large.snapshot->jpeg);
    CHECK_FALSE(snapshotOf(store, page.records[2].seq));
    CHECK_FALSE(snapshotOf(store, 99));
}

TEST_CASE("what has no bytes, or more than can be, or no size, is no picture") {
    const TempFolder folder;
    JournalStore store(settingsIn(folder.path()));
    REQUIRE(store.open());
    FaceEvent elsewhere = picturedEvent(1, 100);
    elsewhere.snapshot->jpeg = nullptr;
    FaceEvent flat = picturedEvent(5, 100);
    flat.snapshot->size.height = 0;
    FaceEvent wide = picturedEvent(6, 100);
    wide.snapshot->size.width = 65536;
    FaceEvent wrong = picturedEvent(2, 100);
    wrong.snapshot->bytes = 99;
    REQUIRE(commit(store, {flat, wide, elsewhere, wrong, picturedEvent(3, Snapshot::kMostBytes + 1),
                           picturedEvent(4, 0)}));
    for (const JournalRecord& record : pageOf(store).records) CHECK_FALSE(eventIn(record)->snapshot);
}

TEST_CASE("a picture leaves with its event, when all have it or it is too old") {
    const TempFolder folder;
    auto settings = settingsIn(folder.path());
    settings.maxAge = std::chrono::hours(1);
    JournalStore store(settings);
    REQUIRE(store.open());
    REQUIRE(commit(store, {picturedEvent(1, 5000), picturedEvent(2, 5000)}));
    FaceEvent young = picturedEvent(3, 5000);
    young.timestamp += std::chrono::hours(2);
    REQUIRE(commit(store, {young}));
    const std::int64_t all = store.bytes();
    store.passed("hub", pageOf(store).records[0].seq);
    REQUIRE(commit(store, {}, true));
    CHECK(all - store.bytes() > 5000);
    CHECK(all - store.bytes() < 5400);
    const auto discarded = store.commit({.now = young.timestamp});
    REQUIRE(discarded);
    CHECK(*discarded == 1);
    CHECK(all - store.bytes() > 10000);
    const std::int64_t left = store.bytes();
    store.close();
    CHECK(rowsIn(store.path(), "snapshots") == 1);
    REQUIRE(store.open());
    CHECK(store.bytes() == left);
}

TEST_CASE("where there is no more room pictures go before any event, the oldest first") {
    const TempFolder folder;
    auto settings = settingsIn(folder.path());
    settings.maxBytes = 50'000;
    JournalStore store(settings);
    REQUIRE(store.open());
    std::int64_t discarded = 0;
    for (std::uint64_t i = 1; i <= 100; ++i) {
        const auto done = store.commit({.events = std::vector{picturedEvent(i, 5000)}});
        REQUIRE(done);
        discarded += *done;
        CHECK(store.bytes() <= settings.maxBytes);
    }
    CHECK(discarded == 0);
    const JournalPage page = pageOf(store);
    REQUIRE(page.records.size() == 100);
    int kept = 0;
    for (const JournalRecord& record : page.records) {
        CHECK(snapshotIn(record).bytes == 5000);  // what was told stays told
        const bool there = snapshotOf(store, record.seq) != nullptr;
        CHECK((there || kept == 0));
        kept += there ? 1 : 0;
    }
    CHECK(kept >= 4);
    // Events without end are still bounded as they were.
    for (std::uint64_t i = 101; i <= 600; ++i) {
        const auto done = store.commit({.events = std::vector{eventNumbered(i)}});
        REQUIRE(done);
        discarded += *done;
        CHECK(store.bytes() <= settings.maxBytes);
    }
    CHECK(discarded > 0);
    store.close();
    CHECK(rowsIn(store.path(), "snapshots") == 0);
}

TEST_CASE("the journal's thread reads a picture, and says where it cannot tell") {
    const TempFolder folder;
    edgecam::test::FakeClock clock;
    JournalListener listener;
    const auto journal = Journal::open(settingsIn(folder.path()), clock, listener.callbacks());
    const FaceEvent event = picturedEvent(1, 9000);
    journal->append(event);
    clock.advance(std::chrono::seconds(1));
    const auto read = [&](std::int64_t seq) {
        std::promise<JournalSnapshot> answer;
        journal->readSnapshot(seq, [&](JournalSnapshot snapshot) { answer.set_value(std::move(snapshot)); });
        return answer.get_future().get();
    };
    (void)read(1);  // wakes it: the group is due
    REQUIRE(listener.waitFor([&] { return !listener.committed.empty(); }));
    const JournalSnapshot there = read(listener.committed.back());
    CHECK(there.journal == journal->status().journal);
    REQUIRE(there.jpeg);
    CHECK(*there.jpeg == *event.snapshot->jpeg);
    const JournalSnapshot missing = read(1000);
    CHECK(missing.journal == there.journal);
    CHECK_FALSE(missing.jpeg);
}
