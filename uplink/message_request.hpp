// Requests: what a peer may send, from JSON text to typed values. Every field is checked here and nowhere
// else; who may ask for it is not known here. Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/json.hpp"
#include "uplink/access.hpp"
#include "uplink/command.hpp"
#include "uplink/subscription.hpp"

namespace edgecam::uplink {

struct AuthRequest {
    std::string token;
    std::optional<std::vector<std::string>> features;  ///< absent: a client that knows no features
    std::vector<std::int64_t> protocols;               ///< empty: whatever we speak
    std::string instance;  ///< of the peer's program; a newer connection of the same replaces an older
    std::string purpose;   ///< what of the peer this connection is for, e.g. "all"
};
struct StreamControlRequest {
    std::vector<std::string> cameraIds;  ///< empty with `all`
    bool all = false;                    ///< "*"
    bool many = false;                   ///< "*" or an array: answered by `data.results`
    CameraAction action;
    Deed deed = Deed::administer;  ///< what it wants to do
};
struct SubscribeRequest {
    std::vector<std::string> topics;
    TopicEntry entry;
};
struct UnsubscribeRequest {
    std::vector<std::string> topics;
};
struct StatusRequest {};
/// Lists the connections, or ends one of them.
struct SessionsRequest {
    std::optional<SessionId> revoke;
    bool itsTokenToo = false;  ///< and whatever token it came with
};
struct RotateTokenRequest {};
struct ConfigRequest {
    ConfigAction action = ConfigAction::get;
    std::string candidate;  ///< JSON object, of check and apply
    std::optional<Microseconds> trial;
};
struct DiagnosticsRequest {};
struct ProbeRequest {
    std::string source;  ///< empty: none
};
struct MetricsRequest {};
struct AnalyticsRequest {};
struct HeartbeatRequest {
    std::optional<std::string> t0;  ///< the peer's number as it wrote it
};
/// Accepted and checked; rate control does not exist yet.
struct MediaAckRequest {
    std::uint16_t channel = 0;
    std::uint32_t sequence = 0;
};
/// A request of the contract that this version does not serve.
struct UnservedRequest {
    std::string what;
};
/// Durable events up to `seq` are safe with the peer.
struct AckRequest {
    std::string journal;
    std::int64_t seq = 0;
};
/// What a hub says about our `auth`: `system/authenticated`, or an `error`.
struct HubWelcome {
    std::vector<std::string> features;
    std::string journal;                   ///< the one that it knows of us; empty: none
    std::optional<std::int64_t> ackedSeq;  ///< of that journal
    std::optional<std::vector<SubscribeRequest>> subscriptions;
};
struct HubError {
    std::string code;
    std::string message;
};
/// Our token ends soon: it wants to hear the new one.
struct HubReauthenticate {};
/// The hub ends soon, and wants to be left alone for a while.
struct HubGoingAway {
    Microseconds retryAfter{0};
};
/// Answers and notices that a hub may send and that nobody waits for.
struct HubNotice {};

using RequestBody =
    std::variant<AuthRequest, StreamControlRequest, SubscribeRequest, UnsubscribeRequest, StatusRequest,
                 MetricsRequest, AnalyticsRequest, HeartbeatRequest, MediaAckRequest, AckRequest, SessionsRequest,
                 RotateTokenRequest, ConfigRequest, DiagnosticsRequest, ProbeRequest, UnservedRequest,
                 HubWelcome, HubError, HubReauthenticate, HubGoingAway, HubNotice>;

/// A config that is sent may have so many bytes, and objects and lists in one another so deep.
inline constexpr std::size_t kMostConfigBytes = 256 << 10;
inline constexpr int kMostConfigDepth = 16;
/// How long a config is on trial at least and at most.
inline constexpr std::int64_t kShortestTrialS = 1;
inline constexpr std::int64_t kLongestTrialS = 600;

/// The envelope of a request, readable even where its body is not.
struct RequestEnvelope {
    std::string type;
    std::optional<std::string> id;  ///< as JSON text: a number stays a number
    std::optional<Microseconds> timeToLive;
    std::optional<Refusal> trouble;
};

/// Reads the envelope. In trouble: what is no object, has no type, or an id that is neither a string of at
/// most 64 bytes nor an integer from 0 to 2^53-1.
RequestEnvelope readEnvelope(const JsonValue& message);

/// Types that a hub answers with; none of them is ever answered back.
bool isHubAnswer(std::string_view type);

/// What the other side may send: viewers `auth`, hubs what answers ours.
enum class Speaker { viewer, hub };

/// Reads the body. An unknown type is refused as `unsupported`, a wrong field as `bad_request` naming it.
std::variant<RequestBody, Refusal> readBody(const std::string& type, const JsonValue& message,
                                            Speaker speaker);

/// What the request wants to do; nothing for what needs no role (`auth`, a hub's answers).
std::optional<Deed> deedOf(std::string_view type, const RequestBody& body);

/// Every kind of request and what it is at least: where deedOf() looks, for who wants to go through them all.
struct MessageRule {
    const char* type;
    const char* action;  ///< of stream_control; empty: of no other type
    Deed least;          ///< `quality` with numbers is more
};
std::vector<MessageRule> messageRules();

}  // namespace edgecam::uplink
