// StreamDesk: carries out what the peers of one service ask of the cameras, and holds their streams for them.
// One for the local server, one for each uplink. Main thread only; it knows no socket.
#pragma once

#include <atomic>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "agent/camera_unit.hpp"
#include "agent/link_fit.hpp"
#include "agent/quality.hpp"
#include "agent/rate_ladder.hpp"
#include "uplink/command.hpp"
#include "uplink/peer_exchange.hpp"

namespace edgecam::agent {

class StreamDesk {
  public:
    using Answer = std::function<void(uplink::Outcome outcome)>;
    /// What the rest of the agent hears of a command that was carried out.
    struct Notices {
        std::function<void(const std::string& cameraId, bool enabled)> switched;
        std::function<void(const std::string& cameraId)> tuned;  ///< the camera's default is another
        /// What became of a peer's command.
        std::function<void(const uplink::Command& command, const uplink::Outcome& outcome)> answered;
        /// Asked something of the agent as a whole: leads to one answer, at once or later, main thread.
        std::function<void(const uplink::Command& command, const Answer& answer)> administered;
    };

    /// `cameras`, `exchange` and `clock` must outlive the desk.
    StreamDesk(CameraUnits& cameras, uplink::PeerExchange& exchange, const Clock& clock, Notices notices);

    /// Leads to exactly one outcome at the exchange, at once or, for a snapshot, later.
    void execute(const uplink::Command& command);
    void sessionEnded(uplink::SessionId session);

    /// The camera's default settings have changed: who follows them is told.
    void retune(const std::string& cameraId);

    /// The camera is about to be closed and opened anew: its streams let go of it, and wait for rejoin().
    /// Until then no command may come.
    void release(const std::string& cameraId);
    /// It is there again: all that waited follow it as it is now, by the same wishes. Who can take nothing
    /// of what it gives is told.
    void rejoin(const std::string& cameraId);
    /// The camera is about to go for good: its streams end, and what was wished of it is forgotten.
    void forget(const std::string& cameraId);

    /// Lets go of every stream: before the cameras end, after the service that brought the commands.
    void endAll();

    /// Whether any peer follows any stream: chunks need not be handed on otherwise. Thread-safe.
    [[nodiscard]] bool watched() const { return streams_.load(std::memory_order_relaxed) > 0; }

  private:
    struct Stream {
        std::unique_ptr<capture::StreamLease> lease;  ///< nullptr only between release() and rejoin()
        uplink::Role role = uplink::Role::viewer;     ///< of the session
        std::vector<std::string> codecs;              ///< that it takes
    };
    using StreamKey = std::pair<std::string, uplink::StreamForm>;  // of one session
    /// What a session's link carries of one camera, and what was made of it.
    struct Link {
        int kbps = 0;
        std::shared_ptr<LinkGate> gate;
        RateLadder ladder;
        LinkFit fit;
    };
    struct Watcher {
        std::map<StreamKey, Stream> streams;
        /// What the session asked for, by camera; kept over stop and start. Nothing: "auto".
        std::map<std::string, QualityPlan> qualities;
        std::map<std::string, Link> links;    ///< of cameras whose video the session's link had to limit
        std::set<std::string> keyFramesOnly;  ///< cameras of which the session takes no other pictures
    };

    void run(const uplink::Command& command, CameraUnit& unit, const uplink::StartStream& start);
    void run(const uplink::Command& command, CameraUnit& unit, const uplink::StopStream& stop);
    void run(const uplink::Command& command, CameraUnit& unit, const uplink::SetQuality& wish);
    void run(const uplink::Command& command, CameraUnit& unit, const uplink::ForceKeyFrame& force);
    void run(const uplink::Command& command, CameraUnit& unit, const uplink::TakeSnapshot& take);
    void run(const uplink::Command& command, CameraUnit& unit, const uplink::EnableCamera& enable);
    void run(const uplink::Command& command, CameraUnit& unit, const uplink::FollowLink& follow);
    void run(const uplink::Command& command, CameraUnit& unit, const uplink::FollowPlan& follow);

    void administer(const uplink::Command& command);
    void answer(const uplink::Command& command, uplink::Outcome outcome);
    [[nodiscard]] uplink::StreamGrant grantOf(uplink::SessionId session, const StreamKey& key) const;
    void follow(uplink::SessionId session, const StreamKey& key, Stream stream);
    [[nodiscard]] QualityPlan qualityOf(uplink::SessionId session, const CameraUnit& unit) const;
    /// What the quality asks for, as far as the session's link carries it and its plan allows it.
    [[nodiscard]] capture::StreamWish wishOf(uplink::SessionId session, const CameraUnit& unit,
                                             uplink::Role role);
    void fitToLink(capture::StreamWish& wish, const QualityPlan& plan, const CameraUnit& unit, Link& link);
    void moved(uplink::SessionId session, const StreamKey& key);
    bool erase(uplink::SessionId session, const StreamKey& key);
    [[nodiscard]] std::vector<std::pair<uplink::SessionId, StreamKey>> streamsOf(
        const std::string& cameraId) const;
    bool reopen(uplink::SessionId session, const StreamKey& key, CameraUnit& unit);

    CameraUnits& cameras_;
    uplink::PeerExchange& exchange_;
    const Clock& clock_;
    const Notices notices_;
    std::map<uplink::SessionId, Watcher> watchers_;
    std::atomic<int> streams_{0};
    std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);  // for snapshots that come after the end
};

}  // namespace edgecam::agent
