// A face event as a row of the journal's table `events`: short, since every event costs flash. An event id
// that is a UUID takes 16 bytes, times are kept relative to the first one, and the floats of a face are one
// BLOB.
#pragma once

#include <optional>
#include <string>

#include "base/bytes.hpp"
#include "base/face.hpp"
#include "uplink/sqlite.hpp"

namespace edgecam::uplink {

/// The columns, in the order that EventRow binds and eventOf() reads. Times are microseconds since the epoch;
/// first_seen, last_seen and captured are relative to `timestamp`, since SQLite keeps small integers short.
/// `event_id`: 16 bytes, or text if it is no UUID in lower case. `face`: big-endian IEEE 754 singles: x, y,
/// width, height, confidence, then x and y of five landmarks if there are any (20 or 60 bytes). `story`: see
/// event_story; NULL in rows of a journal that was made before there was one.
inline constexpr const char* kEventColumns =
    "phase, event_id, camera_id, track_id, timestamp, clock_synced, first_seen, last_seen, face, "
    "frame_sequence, captured, width, height, story";
inline constexpr const char* kEventAssignments =
    "phase=?2, event_id=?3, camera_id=?4, track_id=?5, timestamp=?6, clock_synced=?7, first_seen=?8, "
    "last_seen=?9, face=?10, frame_sequence=?11, captured=?12, width=?13, height=?14, story=?15";
/// About what an event takes on disk, as SQL; storedBytes() in C++ says the same. 48: the integers, the
/// record's header, and its place in the page.
inline constexpr const char* kEventBytes =
    "(length(CAST(event_id AS BLOB)) + length(CAST(camera_id AS BLOB)) + length(face) + "
    "ifnull(length(story), 0) + 48)";

/// One event made ready to be bound. Borrows the event.
class EventRow {
  public:
    explicit EventRow(const FaceEvent& event);
    /// Binds seq and the columns of kEventAssignments; this row must live until the statement was run.
    Statement& bindTo(Statement& statement, std::int64_t seq) const;
    [[nodiscard]] std::int64_t storedBytes() const;

  private:
    const FaceEvent& event_;
    std::optional<ByteBuffer> uuid_;
    ByteBuffer face_;
    ByteBuffer story_;
};

/// The event in a row whose columns from `first` on are kEventColumns; nothing if they make no sense.
std::optional<FaceEvent> eventOf(const Statement& row, int first);

/// About what the event takes on the wire, bytes.
std::size_t wireBytes(const FaceEvent& event);

/// 16 bytes of a UUID in its canonical form, lower case; nothing for other text.
std::optional<ByteBuffer> uuidBytes(std::string_view text);
std::string uuidText(ByteView bytes);  ///< of 16 bytes
std::string randomUuid();              ///< version 4

}  // namespace edgecam::uplink
