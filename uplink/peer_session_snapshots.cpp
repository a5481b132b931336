// PeerSession: the snapshots of face events. Small ones travel within the event where the peer asked for
// that; others are announced by it and follow in the last lane, which news never waits for. Those of durable
// events stay in the journal until that lane has room.
#include <utility>

#include "uplink/frame_header.hpp"
#include "uplink/peer_session_core.hpp"

namespace edgecam::uplink {
namespace {

/// So much may wait in the last lane before the next one is read from the journal.
constexpr std::size_t kWaitingWhileReading = 64 << 10;
/// The same for those of a peer that gets each once: it may read slowly, and there may be many like it.
constexpr std::size_t kWaitingAtMost = 256 << 10;

FrameRef pictureOf(const FaceEvent& event) {
    return event.best ? event.best->frame : event.frame;
}

Chunk chunkOf(const DueSnapshot& due, SharedBytes jpeg) {
    Chunk chunk;
    chunk.kind = ChunkKind::jpeg;
    chunk.keyFrame = true;
    chunk.channel = due.channel;
    chunk.sequence = due.sequence;
    chunk.captureTime = due.captureTime;
    chunk.payload = std::move(jpeg);
    return chunk;
}

}  // namespace

std::uint16_t Session::nextOneShot() {
    return static_cast<std::uint16_t>(kFirstOneShot + transfers_++ % kFirstOneShot);
}

std::optional<SnapshotNote> Session::announce(const FaceEvent& event, SnapshotWish wish) {
    // What is left of a used up plan is for events.
    if (!event.snapshot || wish == SnapshotWish::none || planState() == PlanState::eventsOnly) return {};
    const bool small = event.snapshot->jpeg && event.snapshot->bytes <= Snapshot::kMostInline;
    if (wish == SnapshotWish::inlined && small) return SnapshotNote{};
    return SnapshotNote{nextOneShot(), pictureOf(event).sequence};
}

void Session::tellFace(const FaceEvent& event, SnapshotWish wish, bool replay) {
    // Its bytes may have stayed in the journal, which is not for this peer.
    const bool there = event.snapshot && event.snapshot->jpeg;
    const auto note = there ? announce(event, wish) : std::nullopt;
    const bool follows = note && note->channel;
    // What announces a picture goes before it, so it does not wait for others.
    const Microseconds patience =
        follows ? Microseconds(0) : subscription_.patience(event.cameraId, "face_detected");
    sendPatiently(faceMessage(event, note, replay), Lane::events, patience);
    if (!follows) return;
    sendSnapshot({0, event.cameraId, *note->channel, note->sequence, pictureOf(event).captureTime},
                 event.snapshot->jpeg);
}

void Session::expectSnapshot(const FaceEvent& event, const SnapshotNote& note, std::int64_t seq) {
    if (!note.channel) return;
    snapshotsDue_.add({seq, event.cameraId, *note.channel, note.sequence, pictureOf(event).captureTime});
    if (!feed_.acknowledges()) feed_.holds(seq);
}

void Session::readSnapshots() {
    if (!durable() || closeWish_ || lanes_.bytes(Lane::bulk) > kWaitingWhileReading) return;
    if (const auto seq = snapshotsDue_.next(writtenSeq_)) around_.journal->readSnapshot(id_, *seq);
}

void Session::deliver(const JournalSnapshot& snapshot) {
    if (!durable() || closeWish_) return;
    const bool known = snapshot.journal == feed_.journal();
    const auto due = snapshotsDue_.arrived(snapshot.seq, known);
    if (due) sendSnapshot(*due, snapshot.jpeg);
    // A disk that cannot be read now is not asked as fast as it says so: tick() does it.
    if (known) readSnapshots();
}

void Session::sendSnapshot(const DueSnapshot& due, const SharedBytes& jpeg) {
    const std::int64_t mark = due.seq > 0 ? -due.seq : 0;
    const char* missing = jpeg ? "too much waits to be read" : "it is not kept any more";
    const bool room = due.seq > 0 || lanes_.bytes(Lane::bulk) <= kWaitingAtMost;
    if (jpeg && room &&
        lanes_.push(Lane::bulk, cutIntoParts(chunkOf(due, jpeg), around_.limits.partBytes, mark), now())) {
        return;
    }
    // Who waits for it is told that it does not come.
    const DropNotice notice{due.channel, due.sequence, due.sequence, 1, jpeg ? jpeg->size() : 0};
    send(dropMessage(due.cameraId, notice, missing));
    if (due.seq == 0) return;
    feed_.releases(due.seq);
    tellPosition();
}

}  // namespace edgecam::uplink
