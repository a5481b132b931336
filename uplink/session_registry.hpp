// SessionRegistry: who is connected, over all faces of the agent, and the wish that one of them should go.
// Where the threads of the services meet over it; it knows no session, only what was said of each.
#pragma once

#include <cstdint>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.hpp"
#include "uplink/access.hpp"
#include "uplink/close_wish.hpp"
#include "uplink/command.hpp"

namespace edgecam::uplink {

/// What a session used up to now.
struct SessionUse {
    std::uint64_t bytesIn = 0, bytesOut = 0;  ///< of messages
    std::uint64_t messagesIn = 0, messagesOut = 0;
    std::uint64_t commands = 0;  ///< of those that change something
};

struct SessionEntry {
    SessionId id = 0;
    Grant grant;
    std::string address;   ///< the peer's, or the hub's URL without its query
    std::string uplink;    ///< by name; empty: it came to the local server
    std::string instance;  ///< of the peer's program, as it said; with `purpose` what supersedes an older one
    std::string purpose;
    Utc since;
    Monotonic sinceMonotonic;
    SessionUse use;
};

/// Thread-safe; never blocks beyond a short lock.
class SessionRegistry {
  public:
    /// The peer said who it is; again when its grant changed. An older session of the same token, instance
    /// and purpose is half dead: it is asked to end (4409). An empty instance supersedes nobody.
    void enter(SessionEntry entry);
    void update(SessionId session, const SessionUse& use);
    void leave(SessionId session);

    /// By id, which is the order in which they came.
    [[nodiscard]] std::vector<SessionEntry> list() const;
    [[nodiscard]] std::optional<SessionEntry> find(SessionId session) const;
    /// Asks a session to end; it sees that within a tick. False: there is none of this id.
    bool end(SessionId session, CloseWish wish);
    /// Asked by the session itself: whether it should go.
    [[nodiscard]] std::optional<CloseWish> wishFor(SessionId session) const;

  private:
    struct Present {
        SessionEntry entry;
        std::optional<CloseWish> wish;
    };
    mutable std::mutex mutex_;
    std::map<SessionId, Present> present_;
};

}  // namespace edgecam::uplink
