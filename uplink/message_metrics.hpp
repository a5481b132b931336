// The `metrics` message: what one connection and the agent count, in the contract's words. Pure.
#pragma once

#include <functional>
#include <string>

#include "uplink/figures.hpp"
#include "uplink/message_text.hpp"
#include "uplink/peer_session.hpp"

namespace edgecam::uplink {

/// `shown` says which cameras the peer may hear of, and wants to.
Message metricsMessage(SessionId session, const ConnectionFigures& connection, const AgentView& agent,
                       const std::function<bool(const std::string& cameraId)>& shown, Utc now);

// Parts of it: "cameras": […], without what `shown` is false for, and "process": {…}.
void writeCameraFigures(JsonWriter& json, const AgentView& agent,
                        const std::function<bool(const std::string& cameraId)>& shown);
void writeProcess(JsonWriter& json, const ProcessFigures& of);

}  // namespace edgecam::uplink
