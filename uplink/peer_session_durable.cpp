// PeerSession: what is sent until it has arrived. Durable events are read from the journal page by page, as
// the lane has room, so that an outage of days costs no memory; what the hub has for sure, the journal is
// told.
#include <algorithm>
#include <utility>

#include "uplink/frame_header.hpp"
#include "uplink/peer_session_core.hpp"

namespace edgecam::uplink {
namespace {

/// So many messages may wait in the lane before the next page is read.
constexpr std::size_t kWaitingWhileReading = 16;
constexpr const char* kAck = "ack";

/// Where this is the last part of a camera's picture. The transport writes at once what it pops.
void noteHanded(MediaAcks& acks, const WireMessage& message, Monotonic now) {
    const auto frame = parseFrame(message.bytes());
    if (!frame) return;
    const FrameHeader& header = frame->header;
    const bool picture = header.kind == ChunkKind::accessUnit || header.kind == ChunkKind::jpeg;
    const bool last = header.partOffset + frame->part.size() == header.payloadLength;
    if (picture && last && header.channel < kFirstOneShot) acks.handed(header.channel, header.sequence, now);
}

}  // namespace

void Session::beginFeed(const HubWelcome& welcome) {
    const AgentView& agent = around_.agent;
    if (around_.journal == nullptr || around_.hub->purpose == Purpose::media || agent.journal.empty()) return;
    const bool acknowledges = std::ranges::find(welcome.features, kAck) != welcome.features.end();
    const bool sameJournal = welcome.journal == agent.journal;
    feed_.begin(agent.journal, agent.journalNewest, acknowledges,
                sameJournal ? welcome.ackedSeq : std::nullopt);
    tellPosition();
    readJournal();
}

void Session::journalMoved() {
    if (!authenticated_ || closeWish_ || around_.journal == nullptr) return;
    // Numbers of one journal mean nothing in another: the next `auth` names the new one.
    if (feed_.journal() != around_.agent.journal) return closePlanned(1001, "another journal");
    feed_.learned(around_.agent.journalNewest);
    readJournal();
}

void Session::readJournal() {
    if (!durable() || closeWish_ || !feed_.wantsToRead()) return;
    if (lanes_.depth(Lane::events) + lanes_.depth(Lane::replay) > kWaitingWhileReading) return;
    if (snapshotsDue_.full()) return;
    around_.journal->read(id_, feed_.read());
}

void Session::deliver(const JournalPage& page) {
    if (!durable() || closeWish_) return;
    if (page.journal != feed_.journal()) return feed_.failedToRead();  // tick() tries again
    feed_.arrived(page);
    for (const JournalRecord& record : page.records) tell(record);
    tellPosition();
    readJournal();
}

void Session::tell(const JournalRecord& record) {
    const auto* event = std::get_if<FaceEvent>(&record.what);
    std::optional<SnapshotWish> wish;
    if (event != nullptr && grant_.covers(event->cameraId)) wish = subscription_.admits(*event);
    if (event != nullptr && !wish) return feed_.skips(record.seq);
    // In order, whatever it costs: news waits behind old news that still has to go.
    const bool replayWaits = lanes_.depth(Lane::replay) > 0 || !batches_[Lane::replay].empty();
    const bool old = feed_.farBehind() || replayWaits;
    const Lane lane = old ? Lane::replay : Lane::events;
    if (old && batches_.contains(Lane::events) && !batches_[Lane::events].empty()) flushBatch(Lane::events);
    if (event == nullptr) {
        const Gap gap = feed_.clipped(std::get<Gap>(record.what));
        feed_.sends(record.seq);
        return sendPatiently(gapMessage(gap, feed_.journal()), lane, Microseconds(0), record.seq);
    }
    const DurablePlace place{feed_.journal(), record.seq, feed_.sends(record.seq)};
    const Microseconds patience = subscription_.patience(event->cameraId, "face_detected");
    const auto note = announce(*event, *wish);
    sendPatiently(faceMessage(*event, note, place), lane, patience, record.seq);
    if (note) expectSnapshot(*event, *note, record.seq);
}

void Session::acknowledge(const Id& id, const AckRequest& ack) {
    if (!durable() || !feed_.acknowledges()) {
        return refuse(id, {ErrorCode::forbidden, "this connection is no consumer that acknowledges", ""});
    }
    const auto taken = feed_.acked(ack.journal, ack.seq);
    if (!taken) return refuse(id, {ErrorCode::badRequest, taken.error().message, "seq"});
    for (const std::int64_t seq : *taken) {
        if (const auto committed = around_.agent.commits.of(seq)) eventAcks_.add(now() - *committed);
    }
    snapshotsDue_.passed(ack.seq);
    tellPosition();
    answerOk(id, Message{});
}

void Session::tellPosition() {
    if (const auto seq = feed_.takePosition()) around_.journal->passed(feed_.journal(), *seq);
}

/// Nothing comes of a viewer's, whose link nobody follows, and of one that a hub did not offer.
void Session::acknowledgeMedia(const Id& id, const MediaAckRequest& ack) {
    using Verdict = MediaAcks::Verdict;
    const Verdict verdict =
        mediaAcks_ ? mediaAcks_->acknowledged(ack.channel, ack.sequence, now()) : Verdict::old;
    switch (verdict) {
        case Verdict::taken:
        case Verdict::old:
            return answerOk(id, Message{});
        case Verdict::tooOften:
            // Unasked, it would be more to say than was said.
            if (id) refuse(id, {ErrorCode::rateLimited, "at most 5 a second", ""});
            return;
        case Verdict::unknownChannel:
            return refuse(id, {ErrorCode::badRequest, "nothing of this channel was sent here", "channel"});
        case Verdict::unknownSequence:
            return refuse(id, {ErrorCode::badRequest, "that picture is still to come", "sequence"});
    }
}

std::optional<Microseconds> Session::mediaAckDelay() const {
    return mediaAcks_ ? mediaAcks_->delay(now()) : std::nullopt;
}

void Session::notePopped(const WireMessage& message) {
    poppedBytes_ += message.size();
    if (mediaAcks_ && message.isBinary()) noteHanded(*mediaAcks_, message, now());
    if (message.mark() == 0) return;
    writtenSeq_ = std::max(writtenSeq_, message.mark());
    if (!feed_.acknowledges()) poppedMarks_.emplace_back(poppedBytes_, message.mark());
}

void Session::transmitted(std::size_t unacknowledged) {
    if (poppedMarks_.empty() || !durable()) return;
    const std::uint64_t arrived = poppedBytes_ - std::min<std::uint64_t>(poppedBytes_, unacknowledged);
    while (!poppedMarks_.empty() && poppedMarks_.front().first <= arrived) {
        const std::int64_t mark = poppedMarks_.front().second;
        mark > 0 ? feed_.delivered(mark) : feed_.releases(-mark);
        poppedMarks_.pop_front();
    }
    tellPosition();
}

}  // namespace edgecam::uplink
