// RelayMessages: what the agent and the process of its viewers say to one another, as values and as bytes.
// The agent says what a PeerExchange is told, and the rules of who may come in; the other side says what the
// peers ask. Pure. No token is among it, only hashes.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "base/bytes.hpp"
#include "base/log.hpp"
#include "uplink/access.hpp"
#include "uplink/command.hpp"
#include "uplink/denial.hpp"
#include "uplink/figures.hpp"
#include "uplink/local_server.hpp"
#include "uplink/peer_session.hpp"
#include "uplink/session_registry.hpp"

namespace edgecam::uplink {

/// Who may come in. Keys travel as PEM.
struct RelayedRules {
    struct Key {
        TokenKey key;  ///< without the public key itself
        std::string pem;
    };
    std::vector<TokenRule> tokens;
    std::vector<Key> keys;
    std::vector<Revocation> revoked;
};

// From the agent.

/// The first message: how to serve, and how everything stands.
struct RelaySetup {
    LocalServerSettings settings;  ///< without its functions
    AgentView view;
    std::size_t partBytes = 0;
    RelayedRules rules;
    SessionId firstSession = 0;  ///< sessions have numbers from here on
};
/// So many numbers each start of the other process has for its sessions; the agent's own are below.
inline constexpr SessionId kSessionsOfAStart = SessionId{1} << 32U;
struct RelaySkipped {
    RenditionId rendition = 0;
    DropNotice notice;
};
struct RelayFigures {
    AgentFigures figures;
};
struct RelayCompletion {
    SessionId session = 0;
    TicketId ticket = 0;
    Outcome outcome;
};
struct RelayRegrant {
    SessionId session = 0;
    std::string cameraId;
    StreamGrant grant;
};
/// Twice a second: also the sign that the agent lives.
struct RelayHealth {
    bool ok = false;
    std::string json;
};
struct RelayMetricsPage {
    std::uint64_t number = 0;
    std::string text;
};
struct RelayEndSession {
    SessionId session = 0;
    CloseWish wish;
};
/// Connections of the agent that are not the other side's: its uplinks.
struct RelayOthers {
    std::vector<SessionEntry> sessions;
};
struct RelayFarewell {};
struct RelayCameraRemoved {
    std::string cameraId;
};
struct RelayUplinkRemoved {
    std::string id;
};
/// As startLog() takes it.
struct RelayLogLevel {
    LogLevel least = LogLevel::info;
};

using ToViewers = std::variant<RelaySetup, RelayedRules, Chunk, RelaySkipped, CameraStatus, UplinkStatus,
                               RelayFigures, FaceEvent, Detections, RelayCompletion, RelayRegrant,
                               RelayHealth, RelayMetricsPage, RelayEndSession, RelayOthers, RelayFarewell,
                               RelayCameraRemoved, RelayUplinkRemoved, RelayLogLevel, ConfigNews>;

// To the agent.

/// It serves, or says why it cannot.
struct RelayReady {
    std::string trouble;  ///< empty: it serves
};
struct RelaySessionEnded {
    SessionId session = 0;
};
struct RelayRevocation {
    Grant grant;
};
/// Asks for the text of /metrics.
struct RelayMetricsRequest {
    std::uint64_t number = 0;
    Grant grant;
};
/// Somebody was turned away.
struct RelayDenial {
    Denial denial = Denial::connections;
};
/// Once a second.
struct RelayUse {
    ServiceFigures figures;
    std::vector<SessionEntry> sessions;
};

using ToAgent = std::variant<RelayReady, Command, RelaySessionEnded, RelayRevocation, RelayMetricsRequest,
                             RelayUse, RelayDenial>;

ByteBuffer toBytes(const ToViewers& message);
ByteBuffer toBytes(const ToAgent& message);
/// Nothing: the bytes do not add up.
std::optional<ToViewers> toViewersFrom(ByteView bytes);
std::optional<ToAgent> toAgentFrom(ByteView bytes);

/// With the keys read; one that cannot be is left out.
std::vector<TokenKey> keysOf(const RelayedRules& rules);
RelayedRules relayedRules(const AccessRules& rules);

}  // namespace edgecam::uplink
