// StreamDesk: carries out what the peers of one service ask of the cameras, and holds their streams for them.
// One for the local server, one for each uplink. Main thread only; it knows no socket.
#pragma once

#include <atomic>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <utility>

#include "agent/camera_unit.hpp"
#include "uplink/command.hpp"
#include "uplink/peer_exchange.hpp"

namespace edgecam::agent {

class StreamDesk {
  public:
    /// `cameras`, `exchange` and `clock` must outlive the desk. `switched` is told which camera was enabled
    /// or disabled.
    StreamDesk(CameraUnits& cameras, uplink::PeerExchange& exchange, const Clock& clock,
               std::function<void(const std::string& cameraId, bool enabled)> switched);

    /// Leads to exactly one outcome at the exchange, at once or, for a snapshot, later.
    void execute(const uplink::Command& command);
    void sessionEnded(uplink::SessionId session);

    /// Whether any peer follows any stream: chunks need not be handed on otherwise. Thread-safe.
    [[nodiscard]] bool watched() const { return streams_.load(std::memory_order_relaxed) > 0; }

  private:
    struct Stream {
        std::unique_ptr<capture::StreamLease> lease;
        capture::StreamRequest request;
    };
    using StreamKey = std::pair<std::string, uplink::StreamForm>;  // of one session
    using Streams = std::map<StreamKey, Stream>;

    void run(const uplink::Command& command, CameraUnit& unit, const uplink::StartStream& start);
    void run(const uplink::Command& command, CameraUnit& unit, const uplink::StopStream& stop);
    void run(const uplink::Command& command, CameraUnit& unit, const uplink::SetQuality& wish);
    void run(const uplink::Command& command, CameraUnit& unit, const uplink::ForceKeyFrame& force);
    void run(const uplink::Command& command, CameraUnit& unit, const uplink::TakeSnapshot& take);
    void run(const uplink::Command& command, CameraUnit& unit, const uplink::EnableCamera& enable);

    void answer(const uplink::Command& command, uplink::Outcome outcome);
    static uplink::StreamGrant grantOf(const CameraUnit& unit, uplink::StreamForm form, const Stream& stream);
    void grant(const uplink::Command& command, const CameraUnit& unit, const StreamKey& key);
    void follow(uplink::SessionId session, const StreamKey& key, Stream stream);
    void moved(uplink::SessionId session, const StreamKey& key);
    bool erase(uplink::SessionId session, const StreamKey& key);

    CameraUnits& cameras_;
    uplink::PeerExchange& exchange_;
    const Clock& clock_;
    std::function<void(const std::string&, bool)> switched_;
    std::map<uplink::SessionId, Streams> sessions_;
    std::atomic<int> streams_{0};
    std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);  // for snapshots that come after the end
};

}  // namespace edgecam::agent
