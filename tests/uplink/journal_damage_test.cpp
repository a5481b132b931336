// Files that are not what they should be, and a process that is killed. On a real disk.
#include <doctest/doctest.h>
#include <sys/wait.h>
#include <unistd.h>
#include <csignal>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <memory>
#include <random>
#include <set>

#include "tests/support/emulated.hpp"
#include "tests/support/fake_clock.hpp"
#include "tests/support/temp_folder.hpp"
#include "tests/uplink/journal_bench.hpp"
#include "tests/uplink/journal_listener.hpp"

namespace fs = std::filesystem;
using namespace std::chrono_literals;
using namespace edgecam;
using namespace edgecam::uplink;
using namespace edgecam::uplink::test;
using edgecam::test::FakeClock;
using edgecam::test::TempFolder;

namespace {

/// A journal's folder, and the journal opened in it again and again.
struct Shelf {
    std::string path() const { return folder.path() + "/journal.sqlite3"; }
    void open() { journal = Journal::open(settingsIn(folder.path()), clock, listener.callbacks()); }
    void close() { journal.reset(); }
    /// Opens, stores, closes; returns the journal's UUID.
    std::string fill(std::uint64_t events) {
        open();
        for (std::uint64_t i = 1; i <= events; ++i) journal->append(eventNumbered(i));
        const std::string uuid = readAll(*journal).journal;
        close();
        return uuid;
    }
    /// What was put aside, without the logs beside it.
    std::set<std::string> aside() const {
        std::set<std::string> names;
        for (const auto& entry : fs::directory_iterator(folder.path())) {
            const std::string name = entry.path().filename();
            if (name.find(".corrupt-") != std::string::npos && !name.ends_with("-wal")) names.insert(name);
        }
        return names;
    }
    void write(const std::string& bytes) const { std::ofstream(path(), std::ios::binary) << bytes; }
    void scribble(std::mt19937& random, std::size_t from, std::size_t count) const {
        std::fstream file(path(), std::ios::binary | std::ios::in | std::ios::out);
        file.seekp(static_cast<std::streamoff>(from));
        for (std::size_t i = 0; i < count; ++i) file.put(static_cast<char>(random()));
    }

    TempFolder folder;
    FakeClock clock;
    JournalListener listener;
    std::unique_ptr<Journal> journal;
};

/// Whatever was there is beside, and a new journal works in its place.
void checkReplaced(Shelf& shelf, const std::string& before) {
    shelf.open();
    shelf.journal->append(eventNumbered(77));
    shelf.clock.advance(20ms);
    REQUIRE(
        (readAll(*shelf.journal), shelf.listener.waitFor([&] { return !shelf.listener.committed.empty(); })));
    const JournalPage page = readAll(*shelf.journal);
    CHECK(page.journal != before);
    CHECK(page.journal.size() == 36);
    CHECK(numbersOn(page) == std::vector<std::uint64_t>{77});
    const JournalStatus status = shelf.journal->status();
    CHECK(status.ok);
    CHECK(status.setAside == shelf.path() + ".corrupt-1");
    CHECK(fs::exists(status.setAside));
    shelf.close();
    CHECK(shelf.aside().size() == 1);
}

/// The numbers on whole lines.
void readLog(const std::string& path, std::set<std::uint64_t>& numbers) {
    std::ifstream lines(path);
    std::string line;
    while (std::getline(lines, line) && !lines.eof()) numbers.insert(std::stoull(line));
}

}  // namespace

TEST_CASE("a file of another program is put aside, not touched") {
    for (const std::string& content :
         {std::string("<html>not a database</html>"), std::string(100'000, '\0')}) {
        Shelf shelf;
        shelf.write(content);
        checkReplaced(shelf, "");
        std::ifstream aside(shelf.path() + ".corrupt-1", std::ios::binary);
        CHECK(std::string(std::istreambuf_iterator<char>(aside), {}) == content);
    }
}

TEST_CASE("another program's database is put aside, and so is a newer journal") {
    for (const char* change : {"PRAGMA application_id=1", "PRAGMA user_version=99", "DROP TABLE gaps"}) {
        CAPTURE(change);
        Shelf shelf;
        const std::string before = shelf.fill(3);
        {
            SqliteFile file;
            file.open(shelf.path());
            file.run(change);
            REQUIRE(file.outcome());
        }
        checkReplaced(shelf, before);
    }
}

TEST_CASE("a journal of an older version goes on, with its events, and keeps pictures from then on") {
    const std::string without3 = "DROP TRIGGER snapshot_leaves;DROP TABLE snapshots;";
    for (const std::string& change : {without3 + "ALTER TABLE events DROP COLUMN story;PRAGMA user_version=1",
                                      without3 + "PRAGMA user_version=2"}) {
        CAPTURE(change);
        Shelf shelf;
        const std::string before = shelf.fill(3);
        {
            SqliteFile file;
            file.open(shelf.path());
            file.run(change.c_str());
            REQUIRE(file.outcome());
        }
        shelf.open();
        FaceEvent fresh = picturedEvent(4, 100);
        fresh.zones = {"gate"};
        shelf.journal->append(fresh);
        shelf.close();
        shelf.open();
        const JournalPage page = readAll(*shelf.journal);
        CHECK(page.journal == before);
        REQUIRE(page.records.size() == 4);
        CHECK(numbersOn(page) == std::vector<std::uint64_t>{1, 2, 3, 4});
        CHECK(eventIn(page.records[0])->zones.empty());
        CHECK_FALSE(eventIn(page.records[0])->snapshot);
        CHECK(eventIn(page.records[3])->zones == fresh.zones);
        REQUIRE(eventIn(page.records[3])->snapshot);
        CHECK(*eventIn(page.records[3])->snapshot->jpeg == *fresh.snapshot->jpeg);
        CHECK(shelf.aside().empty());
    }
}

TEST_CASE("an empty file becomes a journal") {
    Shelf shelf;
    shelf.write("");
    CHECK(shelf.fill(3).size() == 36);
    CHECK(shelf.aside().empty());
}

TEST_CASE("a journal that was lost is a new one") {
    Shelf shelf;
    const std::string before = shelf.fill(3);
    fs::remove(shelf.path());
    shelf.open();
    CHECK(readAll(*shelf.journal).journal != before);
    CHECK(readAll(*shelf.journal).records.empty());
    CHECK(shelf.journal->status().setAside.empty());
}

TEST_CASE("a truncated file is put aside") {
    Shelf shelf;
    const std::string before = shelf.fill(500);
    fs::resize_file(shelf.path(), fs::file_size(shelf.path()) / 2 + 100);
    checkReplaced(shelf, before);
}

TEST_CASE("whatever is scribbled over the file, the journal works afterwards") {
    std::mt19937 random(1);
    int replaced = 0;
    for (int round = 0; round < 24; ++round) {
        Shelf shelf;
        const std::string before = shelf.fill(100);
        const auto size = static_cast<std::size_t>(fs::file_size(shelf.path()));
        const std::size_t count = round % 3 == 0 ? 1 : random() % 2000;
        shelf.scribble(random, random() % size, count);
        shelf.open();
        readAll(*shelf.journal);
        shelf.journal->append(eventNumbered(1000));
        shelf.close();
        shelf.open();
        const JournalPage after = readAll(*shelf.journal);
        CHECK(shelf.journal->status().ok);
        const auto numbers = numbersOn(after);
        CHECK(std::find(numbers.begin(), numbers.end(), 1000U) != numbers.end());
        shelf.close();
        // Never without a trace. (Bytes within an event's own values are not noticed: rows have no checksum.)
        if (after.journal != before) CHECK_FALSE(shelf.aside().empty());
        if (after.journal != before) ++replaced;
    }
    CHECK(replaced > 8);
}

TEST_CASE("corruption that shows only when it is read: the file is replaced on the way") {
    Shelf shelf;
    const std::string before = shelf.fill(50);
    {
        SqliteFile file;
        file.open(shelf.path());
        file.run("UPDATE events SET face = x'0102' WHERE seq = 20");  // a sound database, and nonsense in it
        REQUIRE(file.outcome());
    }
    shelf.open();
    CHECK(readAll(*shelf.journal).records.empty());
    const JournalStatus status = shelf.journal->status();
    CHECK(status.journal != before);
    CHECK(status.setAside == shelf.path() + ".corrupt-1");
    CHECK(shelf.listener.changes.back().journal == status.journal);
}

TEST_CASE("two files put aside are kept, the newest") {
    Shelf shelf;
    for (int i = 0; i < 5; ++i) {
        shelf.write("nonsense " + std::to_string(i));
        shelf.fill(1);
    }
    CHECK(shelf.aside() == std::set<std::string>{"journal.sqlite3.corrupt-4", "journal.sqlite3.corrupt-5"});
}

TEST_CASE("two programs do not use one journal") {
    Shelf shelf;
    shelf.open();
    readAll(*shelf.journal);
    JournalListener second;
    auto other = Journal::open(settingsIn(shelf.folder.path()), shelf.clock, second.callbacks());
    CHECK(readAll(*other).journal.empty());
    CHECK_FALSE(other->status().ok);
    CHECK(shelf.aside().empty());
    shelf.close();
    shelf.clock.advance(1s);
    CHECK(readAll(*other).journal.empty() == false);
}

TEST_CASE("a process that is killed: everything it was told is committed is there") {
    if (edgecam::test::lacks("way to start a program of its own kind")) return;
    const TempFolder folder;
    const char* program = std::getenv("EDGECAM_JOURNAL_WRITER");
    REQUIRE(program != nullptr);
    const std::string log = folder.path() + "/committed.log";
    std::set<std::uint64_t> logged;
    std::int64_t newest = 0;
    for (int kill = 0; kill < 5; ++kill) {
        const pid_t child = ::fork();
        if (child == 0) {
            ::execl(program, program, folder.path().c_str(), log.c_str(), std::to_string(kill).c_str(),
                    nullptr);
            ::_exit(127);
        }
        // It is killed in full flight, once it has logged some more.
        const std::size_t enough = logged.size() + 100 + static_cast<std::size_t>(kill) * 37;
        const auto deadline = std::chrono::steady_clock::now() + 20s;
        while (logged.size() < enough && std::chrono::steady_clock::now() < deadline) {
            readLog(log, logged);
        }
        ::kill(child, SIGKILL);
        ::waitpid(child, nullptr, 0);
        readLog(log, logged);
        REQUIRE(logged.size() >= enough);

        JournalStore store(settingsIn(folder.path()));
        REQUIRE(store.open());
        std::set<std::uint64_t> stored;
        for (const std::uint64_t one : numbersOn(pageOf(store))) stored.insert(one);
        for (const std::uint64_t one : logged) CHECK_MESSAGE(stored.contains(one), one << " is lost");
        CHECK(store.newest() > newest);
        newest = store.newest();
    }
}
