// The journal's file: opened, made, checked, loaded, set aside.
#include <algorithm>
#include <charconv>
#include <filesystem>
#include <utility>

#include "uplink/journal_row.hpp"
#include "uplink/journal_statements.hpp"
#include "uplink/journal_store.hpp"

namespace edgecam::uplink {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kMostSetAside = 2;
constexpr const char* kSetAside = ".corrupt-";

/// Failures that say that the file is not, or is no longer, our database. SQLITE_ERROR is what a missing
/// table or column gives; our own SQL has no other reason for it.
bool speaksOfDamage(int code) {
    switch (code) {
        case SQLITE_CORRUPT:
        case SQLITE_NOTADB:
        case SQLITE_ERROR:
        case SQLITE_CONSTRAINT:
        case SQLITE_MISMATCH:
        case SQLITE_FORMAT:
            return true;
        default:
            return false;
    }
}

/// The numbers N of the files `path`.corrupt-N, rising.
std::vector<int> numbersSetAside(const fs::path& path) {
    std::vector<int> numbers;
    const std::string prefix = path.filename().string() + kSetAside;
    std::error_code ignored;
    for (const auto& entry : fs::directory_iterator(path.parent_path(), ignored)) {
        const std::string name = entry.path().filename().string();
        if (!name.starts_with(prefix)) continue;
        int number = 0;
        const char* end = name.data() + name.size();
        const auto parsed = std::from_chars(name.data() + prefix.size(), end, number);
        if (parsed.ec == std::errc{} && parsed.ptr == end) numbers.push_back(number);
    }
    std::sort(numbers.begin(), numbers.end());
    return numbers;
}

}  // namespace

JournalStore::JournalStore(JournalSettings settings, JournalTuning tuning)
    : settings_(std::move(settings)), tuning_(tuning), path_(settings_.folder + "/journal.sqlite3") {}

JournalStore::~JournalStore() {
    close();
}

void JournalStore::close() {
    statements_.reset();
    file_.close(false);
}

Error JournalStore::fail() {
    const int code = file_.failure();
    damaged_ = speaksOfDamage(code);
    Error error = file_.outcome().error();
    // What the file holds is only known by reading it anew. A full disk is the exception: there reading goes
    // on.
    if (code != SQLITE_FULL) abandon();
    return error;
}

/// Leaves the file as it is, for recovery or for a look.
void JournalStore::abandon() {
    statements_.reset();
    file_.close(true);
}

Result<void> JournalStore::open() {
    close();
    damaged_ = false;
    std::error_code ignored;  // what is wrong with the folder, opening a file in it says better
    fs::create_directories(settings_.folder, ignored);
    file_.open(path_);
    prepareFile();
    if (!file_.failed()) {
        statements_ = std::make_unique<Statements>(file_);
        loadFile();
    }
    if (!file_.failed()) return {};
    Error error = fail();
    abandon();
    return error;
}

void JournalStore::prepareFile() {
    // Exclusive: nobody else may write here, and the log's index stays in memory instead of in one more file.
    // secure_delete: Debian's SQLite overwrites what it deletes, which would double the flash written.
    file_.run(("PRAGMA page_size=" + std::to_string(tuning_.pageBytes) +
               ";PRAGMA locking_mode=EXCLUSIVE;PRAGMA secure_delete=OFF;PRAGMA temp_store=MEMORY;"
               "PRAGMA synchronous=FULL;PRAGMA journal_size_limit=4194304;PRAGMA wal_autocheckpoint=" +
               std::to_string(tuning_.checkpointFrames))
                  .c_str());
    const std::int64_t version = Statement(file_, "PRAGMA user_version").number();
    const std::int64_t application = Statement(file_, "PRAGMA application_id").number();
    const bool fresh = version == 0 && Statement(file_, "SELECT count(*) FROM sqlite_schema").number() == 0;
    if (!fresh && application != kJournalApplication) {
        file_.note(SQLITE_NOTADB, "the file is another program's");
    } else if (!fresh && (version < 1 || version > kJournalVersion)) {
        file_.note(SQLITE_NOTADB, "the file is of version " + std::to_string(version) +
                                      ", this program knows " + std::to_string(kJournalVersion));
    }
    Statement mode(file_, "PRAGMA journal_mode=WAL");
    if (mode.next() && mode.text(0) != "wal") file_.note(SQLITE_CANTOPEN, "the file has no write-ahead log");
    mode.restart();
    if (fresh) makeTables();
    if (!fresh && version < kJournalVersion) upgrade(version);
    Statement check(file_, "PRAGMA quick_check(1)");
    if (check.next() && check.text(0) != "ok") {
        const std::string_view lines = check.text(0);  // the last says what
        file_.note(SQLITE_CORRUPT, std::string(lines.substr(lines.rfind('\n') + 1)));
    }
}

// Whole or not at all: a power cut between the two would leave a file that nobody knows.
void JournalStore::upgrade(std::int64_t from) {
    if (file_.failed()) return;
    Transaction transaction(file_);
    if (from == 1) file_.run(kJournalFrom1To2);
    file_.run(kSnapshotTable);
    file_.run(("PRAGMA user_version=" + std::to_string(kJournalVersion)).c_str());
    transaction.commit();
}

void JournalStore::makeTables() {
    Transaction transaction(file_);
    file_.run(kJournalTables);
    file_.run(kSnapshotTable);
    const auto uuid = uuidBytes(randomUuid());
    Statement(file_, "INSERT INTO journal VALUES (?)").with(ByteView(*uuid)).run();
    file_.run(("PRAGMA application_id=" + std::to_string(kJournalApplication) +
               ";PRAGMA user_version=" + std::to_string(kJournalVersion))
                  .c_str());
    transaction.commit();
}

void JournalStore::loadFile() {
    Statement uuid(file_, "SELECT uuid FROM journal");
    const std::string before = std::exchange(uuid_, {});
    if (uuid.next() && uuid.bytes(0).size() == 16) uuid_ = uuidText(uuid.bytes(0));
    uuid.restart();
    if (uuid_.empty()) file_.note(SQLITE_CORRUPT, "the journal's UUID is missing");
    Transaction transaction(file_);
    loadPositions(before == uuid_);
    // Their numbers are not used again: what is told after a power cut must never have been told before it,
    // not even where the disk forgot the last commits.
    file_.run("DELETE FROM events WHERE phase IS NULL");
    countRows();
    if (!file_.failed()) settle();
    transaction.commit();
}

/// Consumers that are no longer configured are forgotten. When the same file is opened again, what was passed
/// but not yet written still counts.
void JournalStore::loadPositions(bool sameJournal) {
    for (auto& [name, position] : positions_) {
        position = {.passed = sameJournal ? position.passed : 0, .written = -1};
    }
    for (const std::string& name : settings_.consumers) positions_.try_emplace(name);
    std::vector<std::string> forgotten;
    Statement rows(file_, "SELECT name, passed FROM consumers");
    while (rows.next()) {
        const auto found = positions_.find(std::string(rows.text(0)));
        if (found == positions_.end()) {
            forgotten.emplace_back(rows.text(0));
        } else {
            found->second.written = rows.integer(1);
            found->second.passed = std::max(found->second.passed, rows.integer(1));
        }
    }
    Statement forget(file_, "DELETE FROM consumers WHERE name = ?");
    for (const std::string& name : forgotten) forget.with(std::string_view(name)).run();
}

void JournalStore::keepFor(const std::vector<std::string>& consumers) {
    settings_.consumers = consumers;
    const auto isKept = [&](const auto& entry) {
        return std::ranges::find(consumers, entry.first) != consumers.end();
    };
    std::erase_if(positions_, [&](const auto& entry) { return !isKept(entry); });
    for (const std::string& name : consumers) positions_.try_emplace(name);
    if (!isOpen()) return;
    bool done = false;
    {
        Transaction transaction(file_);
        loadPositions(true);
        done = transaction.commit();
    }
    // Opened anew, the file forgets them all the same.
    if (!done) (void)fail();
}

void JournalStore::countRows() {
    state_ = {};
    Statement events(file_, "SELECT count(*), sum(" + std::string(kEventBytes) + "), max(seq) FROM events");
    if (events.next()) {
        state_.events = events.integer(0);
        state_.bytes = events.integer(1);
        state_.newest = events.integer(2);
    }
    events.restart();
    state_.snapshotBytes = Statement(file_, "SELECT sum(length(jpeg)) FROM snapshots").number();
    state_.gaps = Statement(file_, "SELECT count(*) FROM gaps").number();
    state_.newest = std::max(state_.newest, Statement(file_, "SELECT max(seq) FROM gaps").number());
    for (const auto& [name, position] : positions_) {
        state_.newest = std::max(state_.newest, position.written);
    }
    for (auto& [name, position] : positions_) position.passed = std::min(position.passed, state_.newest);
}

Result<std::string> JournalStore::setAside() {
    abandon();
    std::vector<int> numbers = numbersSetAside(path_);
    const std::string aside = path_ + kSetAside + std::to_string(numbers.empty() ? 1 : numbers.back() + 1);
    std::error_code failure;
    fs::rename(path_, aside, failure);
    if (failure && failure != std::errc::no_such_file_or_directory) {
        return Error{failure.message()}.within("cannot rename " + path_);
    }
    // Named so that SQLite finds them together. One that stayed would be taken for the new file's log.
    for (const char* with : {"-wal", "-shm"}) {
        fs::rename(path_ + with, aside + with, failure);
        if (failure) fs::remove(path_ + with, failure);
    }
    for (std::size_t i = 0; i + kMostSetAside <= numbers.size(); ++i) {
        const std::string old = path_ + kSetAside + std::to_string(numbers[i]);
        for (const char* with : {"", "-wal", "-shm"}) fs::remove(old + with, failure);
    }
    damaged_ = false;
    return aside;
}

}  // namespace edgecam::uplink
