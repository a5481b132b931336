// PeerExchange: where the rest of the agent meets one service thread. Other threads put things in, the
// service thread takes them out and hands each to the sessions it is for. One for the local server, one for
// each uplink. It knows no libwebsockets: waking its thread is a function it was given.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <variant>
#include <vector>

#include "base/clock.hpp"
#include "base/face.hpp"
#include "base/media.hpp"
#include "uplink/command.hpp"
#include "uplink/peer_session.hpp"

namespace edgecam::uplink {

class PeerExchange {
  public:
    /// `wake` is called from any thread after something was put in: lws_cancel_service(). `partBytes`:
    /// payload bytes of one binary message, at first.
    PeerExchange(AgentView agent, std::size_t partBytes, const Clock& clock);

    static constexpr std::size_t kMaxChunkBytes = 16 << 20;
    static constexpr std::size_t kMaxFaceItems = 4096;
    /// Behind so many an event leaves its picture behind: they may be 64 KB each.
    static constexpr std::size_t kMaxFacePictures = 256;
    /// `leave` events have as much room again: a face whose end is lost would be shown for ever.
    static constexpr std::size_t kMaxFaceItemsWithLeaves = 2 * kMaxFaceItems;

    // Any thread; never block beyond a short lock. Chunks are bounded (16 MB): when the service thread is
    // stuck, they are dropped up to the next key frame, counted, and told to the sessions. Events and
    // detections are bounded together (4096), the newest go. Only the newest status of a camera or
    // uplink and the newest figures wait.
    /// Called once for all that is put in until the next drain(), at once if something is in already. An
    /// empty function: stops waking; returns when no call is running.
    void setWake(std::function<void()> wake);
    void publish(const Chunk& chunk);
    void publish(const CameraStatus& status);
    void publish(const UplinkStatus& status);
    /// About once a second: at the same pace the service counts its connections, see figures().
    void publish(const std::shared_ptr<const AgentFigures>& figures);
    void publish(const ConfigNews& news);
    /// There is no such camera any more: who watches it is told. Nothing of it may be published after this,
    /// unless it is there again.
    void removeCamera(std::string cameraId);
    /// By UplinkStatus::id().
    void removeUplink(std::string id);
    void publish(const FaceEvent& event);
    /// An event that goes out by way of the journal: only the present state is kept from it here.
    void note(const FaceEvent& event);
    void publishJournal(std::string journal, std::int64_t newest);
    void deliver(SessionId session, JournalPage page);
    void deliver(SessionId session, JournalSnapshot snapshot);
    void publish(const Detections& detections);
    /// Chunks that were dropped before they came here.
    void publishSkipped(RenditionId rendition, const DropNotice& notice);
    void complete(SessionId session, TicketId ticket, Outcome outcome);
    void regrant(SessionId session, std::string cameraId, StreamGrant grant);

    // The service thread only.
    /// Hands on everything that was put in.
    void drain();
    void add(PeerSession& session);  ///< borrowed until remove()
    void remove(SessionId session);
    /// The service's connections are another process's, which counts them: these figures are theirs.
    void countElsewhere(ServiceFigures figures);
    /// What became of a picture on one of the service's connections, see VideoDelays.
    void countQueued(Microseconds delay) { video_.queue.add(delay); }
    void countAcknowledged(Microseconds delay) { video_.socket.add(delay); }
    /// What is cut from now on, for all sessions.
    void setPartBytes(std::size_t bytes);
    [[nodiscard]] const AgentView& agent() const { return agent_; }

    [[nodiscard]] static SessionId nextSessionId();  ///< any thread
    /// From here on: in a process whose sessions must not be taken for another's.
    static void numberSessionsFrom(SessionId first);
    [[nodiscard]] std::uint64_t droppedChunks() const;
    [[nodiscard]] std::uint64_t droppedFaceItems() const;
    /// How long the oldest item waits to be taken out; a service thread that stands still shows here.
    [[nodiscard]] Microseconds oldestWait() const;
    /// What the service's connections had counted when figures last came through; never nullptr.
    [[nodiscard]] std::shared_ptr<const ServiceFigures> figures() const;

  private:
    struct Completion {
        SessionId session;
        TicketId ticket;
        Outcome outcome;
    };
    struct Regrant {
        SessionId session;
        std::string cameraId;
        StreamGrant grant;
    };
    struct CameraRemoved {
        std::string cameraId;
    };
    struct UplinkRemoved {
        std::string id;
    };
    struct Noted {
        FaceEvent event;
    };
    struct JournalNews {
        std::string journal;
        std::int64_t newest;
        Monotonic at;
    };
    struct Page {
        SessionId session;
        JournalPage page;
    };
    struct SnapshotRead {
        SessionId session;
        JournalSnapshot snapshot;
    };
    struct Skipped {
        RenditionId rendition;
        DropNotice notice;
    };
    using Item = std::variant<Chunk, Skipped, CameraStatus, UplinkStatus, std::shared_ptr<const AgentFigures>,
                              FaceEvent, Noted, Detections, JournalNews, Page, SnapshotRead, Completion,
                              Regrant, CameraRemoved, UplinkRemoved, ConfigNews>;
    struct Inbox {
        std::vector<Item> items;
        Monotonic since;  ///< when the first of them came
        std::size_t chunkBytes = 0;
        std::size_t faceItems = 0;
    };

    void put(Item item);
    template <class Superseded>
    void putNewest(Item item, Superseded superseded);
    void putFaceItem(Item item, std::size_t most);
    static void letPictureGo(Item& item);
    void wakeIf(bool needed);
    bool admit(const Chunk& chunk);          ///< under mutex_
    void appendItem(Item item, bool& wake);  ///< under mutex_

    void hand(const Chunk& chunk);
    void hand(const Skipped& skipped);
    void hand(const CameraStatus& status);
    void hand(const UplinkStatus& status);
    void hand(const std::shared_ptr<const AgentFigures>& figures);
    void hand(const FaceEvent& event);
    void hand(const Noted& noted);
    void hand(const Detections& detections);
    void hand(const JournalNews& news);
    void hand(const Page& page);
    void hand(const SnapshotRead& read);
    void hand(const Completion& completion);
    void hand(const Regrant& regrant);
    void hand(const CameraRemoved& removed);
    void hand(const UplinkRemoved& removed);
    void hand(const ConfigNews& news);

    AgentView agent_;
    std::size_t partBytes_;
    const Clock& clock_;
    std::map<SessionId, PeerSession*> sessions_;
    ServiceFigures ended_;  ///< totals of the sessions that are gone
    VideoDelays video_;
    std::optional<ServiceFigures> countedElsewhere_;

    mutable std::mutex mutex_;
    Inbox inbox_;
    std::map<RenditionId, DropNotice> waitingForKey_;  ///< what a rendition lost since it lost something
    std::uint64_t droppedChunks_ = 0;
    std::uint64_t droppedFaceItems_ = 0;
    std::shared_ptr<const ServiceFigures> figures_ = std::make_shared<const ServiceFigures>();

    std::mutex wakeMutex_;
    std::function<void()> wake_;
};

}  // namespace edgecam::uplink
