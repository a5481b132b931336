// Journal: durable events on disk until every consumer has them. A SQLite database (WAL) and the one thread
// that uses it. It knows no peer, no socket and no message: a consumer is a name and a position.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <variant>
#include <vector>

#include "base/clock.hpp"
#include "base/face.hpp"
#include "base/result.hpp"

namespace edgecam::uplink {

/// Events that the journal had to give up before everybody had them; itself durable. It stands in the order
/// of seq where the last of them stood: its record's seq is toSeq.
struct Gap {
    std::int64_t fromSeq = 0;  ///< the first of them and the last; others between them may still be there
    std::int64_t toSeq = 0;
    std::int64_t count = 0;
    std::string reason;  ///< "full" or "too_old"
};

struct JournalRecord {
    std::int64_t seq = 0;  ///< scoped by the journal's UUID; only grows
    std::variant<FaceEvent, Gap> what;
    std::size_t bytes = 0;  ///< about what it takes on the wire
};

/// What readSnapshot() gives.
struct JournalSnapshot {
    std::string journal;  ///< the UUID that `seq` belongs to; empty: it could not be read just now
    std::int64_t seq = 0;
    SharedBytes jpeg;  ///< null: it is not there any more
};

/// What read() gives: records in order of seq, possibly none. Of their snapshots only the small ones are in
/// it (Snapshot::kMostInline).
struct JournalPage {
    std::string journal;     ///< the UUID these seqs belong to
    std::int64_t after = 0;  ///< the records come after this one
    std::vector<JournalRecord> records;
    std::int64_t newest = 0;  ///< seq of the newest committed record: how far behind the reader is
};

struct JournalSettings {
    std::string folder;                  ///< the database is folder/journal.sqlite3
    std::vector<std::string> consumers;  ///< a record leaves the disk when all of these have passed it
    std::int64_t maxBytes = 64 << 20;    ///< of events; the oldest updates go first, enters and leaves last
    /// By clocks that were synced, both when the event was told and now: other events leave only when they
    /// are passed or the bytes run out. Looked at once in maxAge / 32, hourly at most.
    Microseconds maxAge = std::chrono::hours(24 * 7);
    Microseconds groupWithin = std::chrono::milliseconds(20);  ///< from its first event to a commit, at most
};

struct JournalStatus {
    bool ok = true;
    std::string trouble;  ///< why not, a sentence
    std::string journal;  ///< UUID; empty while there is no database
    std::int64_t newest = 0;
    std::int64_t records = 0;
    std::int64_t bytes = 0;
    std::uint64_t committed = 0, discarded = 0, unstored = 0;  ///< events; unstored: told, not stored
    std::uint64_t commits = 0;
    std::string setAside;  ///< where the last database is that was replaced, since it was corrupt or foreign
};

class Journal {
  public:
    struct Callbacks {
        /// On the journal's thread after every commit, when there is something new to read. Must not block.
        std::function<void(const std::string& journal, std::int64_t newest)> committed;
        /// An event that could not be stored (though after an I/O error it may turn up with a seq). It goes
        /// to whoever is connected, without a seq. On the journal's thread (disk full, ...), or within
        /// append() when the queue in front of it is full. Must not block.
        std::function<void(const FaceEvent&)> unstored;
        /// On the journal's thread, when `ok` or the UUID changes.
        std::function<void(const JournalStatus&)> changed;
    };

    /// Never fails for good: without a database events are handed to `unstored`, and opening is tried again.
    /// Blocks until opening was tried once, so that the UUID is known to whoever dials next.
    static std::unique_ptr<Journal> open(JournalSettings settings, const Clock& clock, Callbacks callbacks);
    virtual ~Journal() = default;  ///< commits what waits, joins the thread

    // Thread-safe, never block. Callbacks may call them.
    /// With no consumer configured there is nobody to keep events for: nothing happens.
    virtual void append(const FaceEvent& event) = 0;
    /// From now on these are the consumers. A new one gets what is still there; what only others that are
    /// none any more had not passed is let go.
    virtual void keepFor(std::vector<std::string> consumers) = 0;
    /// Everything up to `seq` of that journal is safe with `consumer`. Older positions, other journals and
    /// unknown consumers change nothing. Written within ten minutes, or with the next 128 records, or at the
    /// end: after a power cut some records come again.
    virtual void passed(const std::string& consumer, const std::string& journal, std::int64_t seq) = 0;
    /// Calls `done` on the journal's thread with the committed records after `after`, at most `count` of them
    /// and until there are `bytes` bytes. Without a database: none, of journal "".
    /// Of no journal (`journal` is empty) when that fails.
    virtual void read(std::int64_t after, std::size_t count, std::size_t bytes,
                      std::function<void(JournalPage)> done) = 0;
    /// The snapshot of one event, which read() says there is. `done` as in read().
    virtual void readSnapshot(std::int64_t seq, std::function<void(JournalSnapshot)> done) = 0;
    /// Where `consumer` stands: 0 at first. `done` as in read(), but once there has been a database; not at
    /// all if the journal ends before.
    virtual void position(const std::string& consumer,
                          std::function<void(const std::string& journal, std::int64_t seq)> done) = 0;
    /// read() after where `consumer` stands, as soon as a database is open.
    virtual void readFor(const std::string& consumer, std::size_t count, std::size_t bytes,
                         std::function<void(JournalPage)> done) = 0;
    [[nodiscard]] virtual JournalStatus status() const = 0;
};

}  // namespace edgecam::uplink
