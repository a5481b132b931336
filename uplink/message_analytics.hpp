// The `analytics` message: how many faces there are, come and stay how long, by camera and zone. Pure.
#pragma once

#include <functional>
#include <string>

#include "uplink/message_text.hpp"
#include "uplink/peer_session.hpp"

namespace edgecam::uplink {

/// `shown` says which cameras the peer may hear of, and wants to.
Message analyticsMessage(const AgentView& agent,
                         const std::function<bool(const std::string& cameraId)>& shown, Utc now);

}  // namespace edgecam::uplink
