// Messages: what the agent says, from typed values to JSON text in the contract's words. Pure; which peer may
// hear what is not known here.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/clock.hpp"
#include "base/face.hpp"
#include "base/json.hpp"
#include "base/media.hpp"
#include "uplink/access.hpp"
#include "uplink/command.hpp"
#include "uplink/journal.hpp"
#include "uplink/lane_queue.hpp"
#include "uplink/peer_session.hpp"
#include "uplink/subscription.hpp"

namespace edgecam::uplink {

/// What a message says, before it is known which request it answers. `data` is a JSON object.
struct Message {
    const char* type = "ok";
    const char* event = nullptr;
    std::string data = "{}";
    std::optional<Refusal> refusal = {};  ///< what an `error` says
};
/// `{"type", "event"?, "id"?, "data"}`; `id` is JSON text.
std::string envelope(const Message& message, const std::optional<std::string>& id = std::nullopt);

/// A stream of a camera as one connection sees it; without a format, of the camera alone.
struct StreamReport {
    CameraStatus camera;
    bool streaming = false;
    StreamForm form = StreamForm::cmaf;
    std::optional<std::uint16_t> channel;
    std::shared_ptr<const StreamFormat> format;
    std::string quality;
    int measuredKbps = 0;  ///< 0: not measured yet
    int targetKbps = 0;    ///< 0: nothing is aimed at
    std::optional<Utc> liveFrom;
};

Message authenticatedMessage(SessionId session, Role role, const std::vector<std::string>& features);
/// "online", or "degraded" where a camera of the grant does not do what it should, an uplink is not live or
/// has used up its plan; `stopping` overrides.
const char* statusWord(const AgentView& agent, const Grant& grant, bool stopping);
Message statusMessage(const AgentView& agent, const Grant& grant, const char* word, const Clock& clock);
/// The peer's token ends in `left`.
Message reauthenticateMessage(Microseconds left);
Message sessionsMessage(const std::vector<SessionEntry>& sessions, SessionId asking, Monotonic now);
Message tokenRotatedMessage(const TokenRotated& rotated);
Message goingAwayMessage(Microseconds retryAfter);
Message streamStatusMessage(const StreamReport& report, Utc now);
/// In force after a quality wish that moved no stream.
Message qualityMessage(const StreamReport& report, const QualityInForce& inForce, Utc now);
/// Where a durable event stands in the order of all that its consumer gets.
struct DurablePlace {
    std::string_view journal;
    std::int64_t seq = 0;
    std::int64_t previous = 0;  ///< seq of the one sent before it to this consumer; 0: none
};
/// How an event says where its snapshot is.
struct SnapshotNote {
    std::optional<std::uint16_t> channel;  ///< it follows on this one; nothing: it is in the message
    std::uint32_t sequence = 0;            ///< what it follows as
};
/// `note`: of the event's snapshot; nothing: it says nothing of it. `replay`: the present state of a track
/// that was there before, told as an `enter`.
Message faceMessage(const FaceEvent& event, const std::optional<SnapshotNote>& note, bool replay = false);
Message faceMessage(const FaceEvent& event, const std::optional<SnapshotNote>& note,
                    const DurablePlace& place);
Message gapMessage(const Gap& gap, std::string_view journal);
Message detectionsMessage(const Detections& detections);
Message dropMessage(const std::string& cameraId, const DropNotice& notice, const char* reason);
Message transferMessage(std::uint64_t transfer, const std::string& cameraId, const Chunk& chunk);
Message heartbeatMessage(const std::optional<std::string>& t0, Utc received, Utc sent);
Message subscriptionsMessage(const Subscription& subscription);
Message errorMessage(const Refusal& refusal, const std::string& cameraId = {});
/// One answer for many cameras.
Message resultsMessage(const std::vector<std::string>& results);
/// One of `results`: a message without its envelope's id, for this camera.
std::string resultText(const std::string& cameraId, const Message& message);

/// The uplink's first words, flat: there the agent asks.
std::string hubAuthText(const AgentView& agent, const HubCredentials& hub, const std::string& token,
                        SessionId session);

}  // namespace edgecam::uplink
