// JournalStore: the journal's database, on whatever thread uses it: rows, numbers, positions, bounds, gaps.
// It knows no queue and no time but what it is told. Thread-bound; every call may block on the disk.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "uplink/journal.hpp"
#include "uplink/sqlite.hpp"

namespace edgecam::uplink {

/// What the figures in docs/benchmarks.md were measured with; nobody needs others.
struct JournalTuning {
    int pageBytes = 512;          ///< of a new file: a commit writes whole pages
    int reserve = 128;            ///< seqs, and room for their events, made at a time
    int checkpointFrames = 2000;  ///< pages in the write-ahead log before they go home
};

class JournalStore {
  public:
    explicit JournalStore(JournalSettings settings, JournalTuning tuning = {});
    ~JournalStore();

    /// Opens or makes the file, checks it, forgets consumers that are not in the settings. May be called
    /// again after a failure. When damaged() afterwards, setAside() first.
    Result<void> open();
    void close();
    /// These are the consumers from now on; others are forgotten, in the file too where it is open and can be
    /// written. What all that are left have passed leaves with the next settling.
    void keepFor(const std::vector<std::string>& consumers);
    /// Renames the file (closed by this) to one beside it and returns that one's path; at most two are kept.
    Result<std::string> setAside();

    [[nodiscard]] bool isOpen() const { return statements_ != nullptr; }
    /// The last failure says that the file cannot be used as it is: corrupt, another program's, too new.
    [[nodiscard]] bool damaged() const { return damaged_; }
    [[nodiscard]] const std::string& path() const { return path_; }
    [[nodiscard]] const std::string& journal() const { return uuid_; }  ///< of the file opened last

    struct Work {
        std::span<const FaceEvent> events;
        std::optional<Utc> now;  ///< trustworthy; events older than maxAge before it go
        bool settle = false;     ///< write positions, delete what all have passed
        bool probe = false;      ///< write something in any case, to see whether that works
    };
    /// One transaction, on the disk when this returns without error; after one nothing of it happened.
    /// Returns how many events were discarded. Failures but a full disk close the file.
    Result<std::int64_t> commit(const Work& work);

    Result<JournalPage> read(std::int64_t after, std::size_t count, std::size_t bytes);
    /// Null: there is none, or it had to go.
    Result<SharedBytes> snapshot(std::int64_t seq);

    /// Remembered now, written by the next commit with `settle`. Unknown names and older positions change
    /// nothing; nobody can have passed what is not there yet.
    void passed(const std::string& consumer, std::int64_t seq);
    [[nodiscard]] std::int64_t position(const std::string& consumer) const;
    /// How many seqs all have passed that are still on disk; -1 if only positions wait to be written; 0:
    /// nothing.
    [[nodiscard]] std::int64_t unsettled() const;

    [[nodiscard]] std::int64_t newest() const { return state_.newest; }
    [[nodiscard]] std::int64_t records() const { return state_.events + state_.gaps; }
    [[nodiscard]] std::int64_t bytes() const { return state_.bytes + state_.snapshotBytes; }

  private:
    struct Statements;
    struct Victim {
        std::int64_t seq;
        std::int64_t bytes;
    };
    struct Position {
        std::int64_t passed = 0;
        std::int64_t written = -1;  ///< -1: the file does not know this consumer
    };
    /// What a rolled back transaction takes back.
    struct State {
        std::int64_t newest = 0;      ///< the last seq that has something to read
        std::int64_t next = 1;        ///< the seq for the next record, if not beyond:
        std::int64_t reservedTo = 0;  ///< the last seq that has a row waiting
        std::int64_t events = 0, gaps = 0, bytes = 0;
        std::int64_t snapshotBytes = 0;
        std::int64_t settledTo = 0;       ///< nothing before this is left that all have passed
        std::int64_t noUpdatesUntil = 0;  ///< where looking for updates to discard goes on
    };

    void prepareFile();
    void makeTables();
    void upgrade(std::int64_t from);
    void loadFile();
    void loadPositions(bool sameJournal);
    void countRows();
    Error fail();
    void abandon();
    [[nodiscard]] std::int64_t passedByAll() const;

    std::int64_t takeSeq(std::int64_t rowBytes);
    void reserve(std::int64_t rowBytes);
    void store(const FaceEvent& event);
    void settle();
    void dropSnapshots();
    SharedBytes snapshotOf(std::int64_t seq);
    std::int64_t discard(const std::vector<Victim>& victims, const char* reason);
    std::vector<Victim> tooOld(Utc now);
    std::vector<Victim> tooMany();
    void mergeGaps();

    JournalSettings settings_;
    const JournalTuning tuning_;
    const std::string path_;
    SqliteFile file_;
    std::string uuid_;
    bool damaged_ = false;
    std::map<std::string, Position> positions_;  ///< of the consumers in the settings
    State state_;
    std::unique_ptr<Statements> statements_;  ///< while the file is open
};

}  // namespace edgecam::uplink
