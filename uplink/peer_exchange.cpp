#include "uplink/peer_exchange.hpp"

#include <algorithm>
#include <atomic>
#include <optional>
#include <utility>

#include "uplink/frame_header.hpp"

namespace edgecam::uplink {
namespace {

constexpr std::size_t kMaxFacesRemembered = 256;  ///< a camera

std::size_t payloadBytes(const Chunk& chunk) {
    return chunk.payload ? chunk.payload->size() : 0;
}

void remember(AgentView& agent, const FaceEvent& event) {
    auto& faces = agent.liveFaces[event.cameraId];
    if (event.phase == FacePhase::leave) {
        faces.erase(event.trackId);
    } else if (faces.size() < kMaxFacesRemembered || faces.contains(event.trackId)) {
        faces[event.trackId] = event;
    }
}

}  // namespace

PeerExchange::PeerExchange(AgentView agent, std::size_t partBytes, const Clock& clock)
    : agent_(std::move(agent)), partBytes_(partBytes), clock_(clock) {}

namespace {
std::atomic<SessionId> lastSession{0};
}  // namespace

SessionId PeerExchange::nextSessionId() {
    return ++lastSession;
}

void PeerExchange::numberSessionsFrom(SessionId first) {
    lastSession = first;
}

void PeerExchange::setWake(std::function<void()> wake) {
    const std::lock_guard hold(wakeMutex_);
    wake_ = std::move(wake);
    const std::lock_guard lock(mutex_);
    if (wake_ && !inbox_.items.empty()) wake_();
}

void PeerExchange::wakeIf(bool needed) {
    if (!needed) return;
    const std::lock_guard hold(wakeMutex_);
    if (wake_) wake_();
}

void PeerExchange::appendItem(Item item, bool& wake) {
    if (inbox_.items.empty()) {
        wake = true;
        inbox_.since = clock_.monotonic();
    }
    inbox_.items.push_back(std::move(item));
}

void PeerExchange::put(Item item) {
    bool wake = false;
    {
        const std::lock_guard lock(mutex_);
        appendItem(std::move(item), wake);
    }
    wakeIf(wake);
}

bool PeerExchange::admit(const Chunk& chunk) {
    const bool restart = chunk.keyFrame || chunk.kind == ChunkKind::jpeg;
    const bool fits = inbox_.chunkBytes + payloadBytes(chunk) <= kMaxChunkBytes;
    // An init segment is small, rare, and nothing after it can be read without it.
    if (chunk.kind == ChunkKind::initSegment || (fits && restart)) return true;
    if (fits && !waitingForKey_.contains(chunk.rendition)) return true;
    DropNotice& lost = waitingForKey_[chunk.rendition];
    if (lost.frames == 0) lost.fromSequence = chunk.sequence;
    lost.channel = chunk.channel;
    lost.toSequence = chunk.sequence;
    lost.bytes += payloadBytes(chunk);
    ++lost.frames;
    ++droppedChunks_;
    return false;
}

void PeerExchange::publish(const Chunk& chunk) {
    bool wake = false;
    {
        const std::lock_guard lock(mutex_);
        if (!admit(chunk)) return;
        if (chunk.kind != ChunkKind::initSegment) {
            const auto lost = waitingForKey_.extract(chunk.rendition);
            if (lost) appendItem(Skipped{lost.key(), lost.mapped()}, wake);
        }
        inbox_.chunkBytes += payloadBytes(chunk);
        appendItem(chunk, wake);
    }
    wakeIf(wake);
}

/// Puts in what makes older items of its kind worthless.
template <class Superseded>
void PeerExchange::putNewest(Item item, Superseded superseded) {
    bool wake = false;
    {
        const std::lock_guard lock(mutex_);
        std::erase_if(inbox_.items, superseded);
        appendItem(std::move(item), wake);
    }
    wakeIf(wake);
}

void PeerExchange::publish(const CameraStatus& status) {
    putNewest(status, [&](const Item& item) {
        const auto* older = std::get_if<CameraStatus>(&item);
        return older != nullptr && older->cameraId == status.cameraId;
    });
}

void PeerExchange::publish(const UplinkStatus& status) {
    putNewest(status, [&](const Item& item) {
        const auto* older = std::get_if<UplinkStatus>(&item);
        return older != nullptr && older->id() == status.id();
    });
}

void PeerExchange::publish(const std::shared_ptr<const AgentFigures>& figures) {
    putNewest(figures, [](const Item& item) {
        return std::holds_alternative<std::shared_ptr<const AgentFigures>>(item);
    });
}

void PeerExchange::publish(const ConfigNews& news) {
    put(news);
}

void PeerExchange::removeCamera(std::string cameraId) {
    put(CameraRemoved{std::move(cameraId)});
}

void PeerExchange::removeUplink(std::string id) {
    put(UplinkRemoved{std::move(id)});
}

void PeerExchange::publishJournal(std::string journal, std::int64_t newest) {
    putNewest(JournalNews{std::move(journal), newest, clock_.monotonic()},
              [](const Item& item) { return std::holds_alternative<JournalNews>(item); });
}

void PeerExchange::deliver(SessionId session, JournalPage page) {
    put(Page{session, std::move(page)});
}

void PeerExchange::deliver(SessionId session, JournalSnapshot snapshot) {
    put(SnapshotRead{session, std::move(snapshot)});
}

void PeerExchange::putFaceItem(Item item, std::size_t most) {
    bool wake = false;
    {
        const std::lock_guard lock(mutex_);
        if (inbox_.faceItems >= most) {
            ++droppedFaceItems_;
            return;
        }
        if (inbox_.faceItems >= kMaxFacePictures) letPictureGo(item);
        ++inbox_.faceItems;
        appendItem(std::move(item), wake);
    }
    wakeIf(wake);
}

void PeerExchange::letPictureGo(Item& item) {
    if (auto* event = std::get_if<FaceEvent>(&item)) event->snapshot.reset();
    if (auto* noted = std::get_if<Noted>(&item)) noted->event.snapshot.reset();
}

void PeerExchange::publish(const FaceEvent& event) {
    putFaceItem(event, event.phase == FacePhase::leave ? kMaxFaceItemsWithLeaves : kMaxFaceItems);
}

void PeerExchange::note(const FaceEvent& event) {
    putFaceItem(Noted{event}, event.phase == FacePhase::leave ? kMaxFaceItemsWithLeaves : kMaxFaceItems);
}

void PeerExchange::publish(const Detections& detections) {
    putFaceItem(detections, kMaxFaceItems);
}

void PeerExchange::publishSkipped(RenditionId rendition, const DropNotice& notice) {
    put(Skipped{rendition, notice});
}

void PeerExchange::complete(SessionId session, TicketId ticket, Outcome outcome) {
    put(Completion{session, ticket, std::move(outcome)});
}

void PeerExchange::regrant(SessionId session, std::string cameraId, StreamGrant grant) {
    put(Regrant{session, std::move(cameraId), std::move(grant)});
}

void PeerExchange::drain() {
    Inbox taken;
    {
        const std::lock_guard lock(mutex_);
        std::swap(taken, inbox_);
    }
    for (const Item& item : taken.items) {
        std::visit([this](const auto& each) { hand(each); }, item);
    }
}

void PeerExchange::hand(const Chunk& chunk) {
    std::optional<WireChunk> cut;
    for (const auto& [id, session] : sessions_) {
        if (!session->follows(chunk.rendition)) continue;
        if (!cut) cut = WireChunk{chunk, cutIntoParts(chunk, partBytes_)};
        session->deliver(*cut);
    }
}

void PeerExchange::hand(const Skipped& skipped) {
    for (const auto& [id, session] : sessions_) {
        if (session->follows(skipped.rendition)) session->skipped(skipped.rendition, skipped.notice);
    }
}

void PeerExchange::hand(const CameraStatus& status) {
    agent_.cameras[status.cameraId] = status;
    for (const auto& [id, session] : sessions_) session->cameraChanged(status);
}

void PeerExchange::hand(const UplinkStatus& status) {
    agent_.uplinks[status.id()] = status;
    for (const auto& [id, session] : sessions_) session->uplinkChanged(status);
}

void PeerExchange::hand(const CameraRemoved& removed) {
    agent_.cameras.erase(removed.cameraId);
    agent_.liveFaces.erase(removed.cameraId);
    for (const auto& [id, session] : sessions_) session->cameraRemoved(removed.cameraId);
}

void PeerExchange::hand(const UplinkRemoved& removed) {
    agent_.uplinks.erase(removed.id);
    for (const auto& [id, session] : sessions_) session->uplinkRemoved(removed.id);
}

void PeerExchange::hand(const ConfigNews& news) {
    for (const auto& [id, session] : sessions_) session->configChanged(news);
}

void PeerExchange::hand(const std::shared_ptr<const AgentFigures>& figures) {
    agent_.figures = figures;
    for (const auto& [id, session] : sessions_) session->figuresChanged();
    auto counted = std::make_shared<ServiceFigures>(countedElsewhere_ ? *countedElsewhere_ : ended_);
    if (!countedElsewhere_) {
        for (const auto& [id, session] : sessions_) counted->add(session->figures());
        counted->video = video_;
    }
    const std::lock_guard lock(mutex_);
    figures_ = std::move(counted);
}

void PeerExchange::hand(const FaceEvent& event) {
    remember(agent_, event);
    for (const auto& [id, session] : sessions_) session->deliver(event);
}

void PeerExchange::hand(const Noted& noted) {
    remember(agent_, noted.event);
}

void PeerExchange::hand(const JournalNews& news) {
    agent_.commits.moved(news.journal, news.newest, news.at);
    agent_.journal = news.journal;
    agent_.journalNewest = news.newest;
    for (const auto& [id, session] : sessions_) session->journalMoved();
}

void PeerExchange::hand(const Page& page) {
    const auto session = sessions_.find(page.session);
    if (session != sessions_.end()) session->second->deliver(page.page);
}

void PeerExchange::hand(const SnapshotRead& read) {
    const auto session = sessions_.find(read.session);
    if (session != sessions_.end()) session->second->deliver(read.snapshot);
}

void PeerExchange::hand(const Detections& detections) {
    for (const auto& [id, session] : sessions_) session->deliver(detections);
}

void PeerExchange::hand(const Completion& completion) {
    const auto session = sessions_.find(completion.session);
    if (session != sessions_.end()) session->second->complete(completion.ticket, completion.outcome);
}

void PeerExchange::hand(const Regrant& regrant) {
    const auto session = sessions_.find(regrant.session);
    if (session != sessions_.end()) session->second->regrant(regrant.cameraId, regrant.grant);
}

void PeerExchange::add(PeerSession& session) {
    sessions_[session.id()] = &session;
}

void PeerExchange::remove(SessionId session) {
    const auto found = sessions_.find(session);
    if (found == sessions_.end()) return;
    ended_.addEnded(found->second->figures());
    sessions_.erase(found);
}

std::shared_ptr<const ServiceFigures> PeerExchange::figures() const {
    const std::lock_guard lock(mutex_);
    return figures_;
}

void PeerExchange::countElsewhere(ServiceFigures figures) {
    countedElsewhere_ = std::move(figures);
}

void PeerExchange::setPartBytes(std::size_t bytes) {
    partBytes_ = bytes;
    for (const auto& [id, session] : sessions_) session->setPartBytes(bytes);
}

std::uint64_t PeerExchange::droppedChunks() const {
    const std::lock_guard lock(mutex_);
    return droppedChunks_;
}

std::uint64_t PeerExchange::droppedFaceItems() const {
    const std::lock_guard lock(mutex_);
    return droppedFaceItems_;
}

Microseconds PeerExchange::oldestWait() const {
    const std::lock_guard lock(mutex_);
    return inbox_.items.empty() ? Microseconds(0) : clock_.monotonic() - inbox_.since;
}

}  // namespace edgecam::uplink
