// The journal's tables, and every statement that is run on them.
#pragma once

#include <string>

#include "uplink/journal_row.hpp"
#include "uplink/journal_store.hpp"
#include "uplink/sqlite.hpp"

namespace edgecam::uplink {

/// PRAGMA user_version; another one belongs to a program that knows better.
inline constexpr std::int64_t kJournalVersion = 3;
/// A snapshot leaves with its event, whatever lets that go.
inline constexpr const char* kSnapshotTable = R"(
CREATE TABLE snapshots (seq INTEGER PRIMARY KEY, jpeg BLOB NOT NULL);
CREATE TRIGGER snapshot_leaves AFTER DELETE ON events BEGIN DELETE FROM snapshots WHERE seq = old.seq; END;
)";
/// What makes a journal of version 1 one of version 2; its events stay. Version 3 has kSnapshotTable too.
inline constexpr const char* kJournalFrom1To2 = "ALTER TABLE events ADD COLUMN story BLOB";
/// PRAGMA application_id: "edgJ".
inline constexpr std::int64_t kJournalApplication = 0x6564674a;

/// `events` holds rows that wait for their event (phase NULL) behind those that have one. A gap has a seq of
/// the same sequence. A consumer has passed everything up to `passed`.
inline constexpr const char* kJournalTables = R"(
CREATE TABLE journal (uuid BLOB NOT NULL);
CREATE TABLE events (
  seq INTEGER PRIMARY KEY AUTOINCREMENT,
  phase INTEGER, event_id BLOB, camera_id TEXT, track_id INTEGER, timestamp INTEGER, clock_synced INTEGER,
  first_seen INTEGER, last_seen INTEGER, face BLOB, frame_sequence INTEGER, captured INTEGER, width INTEGER,
  height INTEGER, story BLOB);
CREATE TABLE gaps (
  seq INTEGER PRIMARY KEY, from_seq INTEGER NOT NULL, to_seq INTEGER NOT NULL, count INTEGER NOT NULL,
  reason TEXT NOT NULL);
CREATE TABLE consumers (name TEXT PRIMARY KEY, passed INTEGER NOT NULL) WITHOUT ROWID;
)";

struct JournalStore::Statements {
    explicit Statements(SqliteFile& file) : file_(file) {}

    SqliteFile& file_;
    const std::string columns_ = kEventColumns;
    const std::string bytes_ = kEventBytes;

    Statement reserve{file_, "INSERT INTO events (face) VALUES (zeroblob(?))"};
    Statement fill{file_, std::string("UPDATE events SET ") + kEventAssignments + " WHERE seq=?1"};
    Statement events{file_, "SELECT seq, " + columns_ +
                                " FROM events WHERE seq > ? AND seq <= ? AND phase IS NOT NULL ORDER BY seq"};
    Statement gaps{file_, "SELECT seq, from_seq, to_seq, count, reason FROM gaps WHERE seq > ? ORDER BY seq"};

    Statement addSnapshot{file_, "INSERT INTO snapshots VALUES (?, ?)"};
    Statement snapshot{file_, "SELECT jpeg FROM snapshots WHERE seq = ?"};
    // The length of a BLOB is known without reading it.
    Statement snapshotBytes{file_, "SELECT length(jpeg) FROM snapshots WHERE seq = ?"};
    Statement snapshotBytesUntil{file_, "SELECT sum(length(jpeg)) FROM snapshots WHERE seq <= ?"};
    Statement oldestSnapshots{file_, "SELECT seq, length(jpeg) FROM snapshots ORDER BY seq"};
    Statement deleteSnapshotsUntil{file_, "DELETE FROM snapshots WHERE seq <= ?"};

    Statement setPosition{file_,
                          "INSERT INTO consumers VALUES (?1, ?2) "
                          "ON CONFLICT (name) DO UPDATE SET passed = ?2"};
    Statement sumUntil{file_, "SELECT sum(" + bytes_ + ") FROM events WHERE seq <= ?"};
    Statement deleteEventsUntil{file_, "DELETE FROM events WHERE seq <= ?"};
    Statement deleteGapsUntil{file_, "DELETE FROM gaps WHERE seq <= ?"};

    Statement oldest{file_, "SELECT seq, " + bytes_ +
                                ", timestamp, clock_synced FROM events "
                                "WHERE seq > ? AND phase IS NOT NULL ORDER BY seq"};
    Statement oldestUpdates{file_, "SELECT seq, " + bytes_ +
                                       " FROM events WHERE seq > ? AND phase = 1 "
                                       "ORDER BY seq"};
    Statement oldestOthers{file_, "SELECT seq, " + bytes_ +
                                      " FROM events WHERE seq > ? AND phase <> 1 "
                                      "ORDER BY seq"};
    Statement deleteEvent{file_, "DELETE FROM events WHERE seq = ?"};
    Statement addGap{file_, "INSERT INTO gaps VALUES (?, ?, ?, ?, ?)"};
    Statement gapAt{file_, "SELECT seq FROM gaps ORDER BY seq LIMIT 1 OFFSET ?"};
    Statement mergedGaps{file_,
                         "SELECT max(seq), min(from_seq), max(to_seq), sum(count), reason FROM gaps "
                         "WHERE seq <= ? GROUP BY reason"};
};

}  // namespace edgecam::uplink
