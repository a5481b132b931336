#include "uplink/message_request.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <limits>
#include <utility>

#include "base/log.hpp"
#include "uplink/message_stream_control.hpp"

namespace edgecam::uplink {
namespace {

constexpr std::int64_t kMaxInteger = (std::int64_t{1} << 53) - 1;  ///< what JavaScript's numbers keep exact
constexpr std::int64_t kMaxU16 = std::numeric_limits<std::uint16_t>::max();
constexpr std::int64_t kMaxU32 = std::numeric_limits<std::uint32_t>::max();
constexpr std::size_t kMaxTopicLength = 100;
constexpr std::size_t kMostSourceLength = 2048;
constexpr std::size_t kMostZones = 64;
constexpr std::size_t kLongestZoneName = 64;
constexpr double kLongestRetryAfter = 3600;  ///< s; a hub that says more is not believed

using Body = std::variant<RequestBody, Refusal>;

Refusal badRequest(const FieldReader& fields) {
    return {ErrorCode::badRequest, fields.error().message, fields.badField()};
}

/// The body, unless one of its fields was wrong.
Body checked(const FieldReader& fields, RequestBody body) {
    if (!fields.ok()) return badRequest(fields);
    return body;
}

std::vector<std::int64_t> readProtocols(FieldReader& fields) {
    const JsonValue* given = fields.any("protocol");
    if (given == nullptr) return {};
    if (given->IsInt64()) return {given->GetInt64()};
    const auto isInteger = [](const JsonValue& item) { return item.IsInt64(); };
    if (!given->IsArray() || given->Empty() || given->Size() > 16 ||
        !std::all_of(given->Begin(), given->End(), isInteger)) {
        fields.refuse("protocol", "must be an integer or an array of integers");
        return {};
    }
    std::vector<std::int64_t> protocols;
    for (const JsonValue& item : given->GetArray()) protocols.push_back(item.GetInt64());
    return protocols;
}

Body readAuth(const JsonValue& message) {
    FieldReader fields(message);
    AuthRequest auth;
    fields.require("token");
    auth.token = fields.text("token").value_or("");
    auth.features = fields.texts("features", 32, 64);
    auth.protocols = readProtocols(fields);
    auth.instance = fields.text("instance", 64).value_or("");
    auth.purpose = fields.text("purpose", 16).value_or("");
    return checked(fields, auth);
}

std::vector<FacePhase> readPhases(FieldReader& filter) {
    std::vector<FacePhase> phases;
    for (const std::string& word : filter.texts("phases", 3, 16).value_or(std::vector<std::string>{})) {
        constexpr std::array kPhases{FacePhase::enter, FacePhase::update, FacePhase::leave};
        const auto* phase = std::ranges::find(kPhases, word, [](FacePhase each) { return nameOf(each); });
        if (phase == kPhases.end()) {
            filter.refuse("phases", "knows \"enter\", \"update\" and \"leave\"");
        } else {
            phases.push_back(*phase);
        }
    }
    return phases;
}

std::optional<Refusal> readFilter(const JsonValue& object, FaceFilter& into) {
    FieldReader filter(object);
    into.minConfidence = static_cast<float>(filter.number("min_confidence", 0, 1).value_or(0));
    into.minFacePx = static_cast<int>(filter.integer("min_face_px", 0, 16384).value_or(0));
    into.phases = readPhases(filter);
    into.zones = filter.texts("zones", kMostZones, kLongestZoneName).value_or(std::vector<std::string>{});
    if (!filter.ok()) {
        return Refusal{ErrorCode::badRequest, "filter." + filter.error().message,
                       "filter." + filter.badField()};
    }
    return std::nullopt;
}

std::optional<SnapshotWish> wishNamed(std::string_view word) {
    if (word == "transfer") return SnapshotWish::transfer;
    if (word == "inline") return SnapshotWish::inlined;
    return std::nullopt;
}

/// filter, rate_hz and the rest, the same for a subscription of ours and one that a hub answers with.
std::optional<Refusal> readEntry(const JsonValue& object, TopicEntry& into) {
    FieldReader fields(object);
    if (const JsonValue* filter = fields.object("filter")) {
        if (auto refusal = readFilter(*filter, into.filter)) return refusal;
    }
    into.rateHz = fields.number("rate_hz", 0.1, 120);
    into.batch = std::chrono::milliseconds(fields.integer("batch_ms", 0, 60'000).value_or(0));
    if (const auto word = fields.text("snapshots", 16)) {
        const auto wish = wishNamed(*word);
        if (!wish) fields.refuse("snapshots", "knows \"inline\" and \"transfer\"");
        into.snapshots = wish.value_or(SnapshotWish::none);
    }
    if (!fields.ok()) return badRequest(fields);
    // A consumer goes on from what it acknowledged; to answer "subscribed" would promise more.
    if (fields.has("since_seq")) {
        return Refusal{ErrorCode::unsupported, "since_seq: not in this version", "since_seq"};
    }
    return std::nullopt;
}

std::vector<std::string> readTopics(FieldReader& fields) {
    fields.require("topics");
    auto topics = fields.texts("topics", Subscription::kMaxEntries, kMaxTopicLength)
                      .value_or(std::vector<std::string>{});
    for (const std::string& topic : topics) {
        if (!Subscription::cameraOf(topic)) fields.refuse("topics", "must be CAMERA/TOPIC or system");
    }
    return topics;
}

Body readSubscribe(const JsonValue& message) {
    FieldReader fields(message);
    SubscribeRequest request;
    request.topics = readTopics(fields);
    if (!fields.ok()) return badRequest(fields);
    if (auto refusal = readEntry(message, request.entry)) return *refusal;
    return request;
}

Body readUnsubscribe(const JsonValue& message) {
    FieldReader fields(message);
    UnsubscribeRequest request{readTopics(fields)};
    return checked(fields, std::move(request));
}

Body readHeartbeat(const JsonValue& message) {
    FieldReader fields(message);
    HeartbeatRequest request;
    if (fields.number("t0", -1e18, 1e18)) request.t0 = toJson(*fields.any("t0"));
    return checked(fields, request);
}

Body readMediaAck(const JsonValue& message) {
    FieldReader fields(message);
    fields.require("channel");
    fields.require("sequence");
    const MediaAckRequest request{
        .channel = static_cast<std::uint16_t>(fields.integer("channel", 0, kMaxU16).value_or(0)),
        .sequence = static_cast<std::uint32_t>(fields.integer("sequence", 0, kMaxU32).value_or(0))};
    // Nothing follows from these: two clocks, and what a hub does with what it has is its own.
    fields.integer("received_us", 0, kMaxInteger);
    fields.number("buffered_ms", 0, 3.6e6);
    return checked(fields, request);
}

Body readAck(const JsonValue& message) {
    FieldReader fields(message);
    fields.require("journal");
    fields.require("seq");
    AckRequest ack{fields.text("journal", 64).value_or(""),
                   fields.integer("seq", 0, kMaxInteger).value_or(0)};
    return checked(fields, std::move(ack));
}

Body readSessions(const JsonValue& message) {
    FieldReader fields(message);
    SessionsRequest request;
    if (fields.has("action")) {
        if (fields.text("action", 16) != "revoke") fields.refuse("action", "knows \"revoke\"");
        fields.require("session");
        // As `system/authenticated` and the list give it: a number in a string.
        const std::string session = fields.text("session", 20).value_or("");
        SessionId id = 0;
        const auto [end, error] = std::from_chars(session.data(), session.data() + session.size(), id);
        if (error != std::errc() || end != session.data() + session.size()) {
            fields.refuse("session", "must be one that the list has");
        }
        request.revoke = id;
        request.itsTokenToo = fields.flag("token").value_or(false);
    }
    return checked(fields, request);
}

Body readHubWelcome(const JsonValue& data) {
    FieldReader fields(data);
    HubWelcome welcome;
    welcome.features = fields.texts("features", 32, 64).value_or(std::vector<std::string>{});
    welcome.journal = fields.text("journal", 64).value_or("");
    welcome.ackedSeq = fields.integer("acked_seq", 0, kMaxInteger);
    const JsonValue* subscriptions = fields.object("subscriptions");
    if (!fields.ok()) return badRequest(fields);
    if (subscriptions == nullptr) return welcome;
    welcome.subscriptions.emplace();
    for (const auto& member : subscriptions->GetObject()) {
        SubscribeRequest request;
        request.topics.emplace_back(member.name.GetString(), member.name.GetStringLength());
        if (!Subscription::cameraOf(request.topics.front())) {
            return Refusal{ErrorCode::badRequest, "subscriptions must be CAMERA/TOPIC or system",
                           "subscriptions"};
        }
        if (auto refusal = readEntry(member.value, request.entry)) return *refusal;
        welcome.subscriptions->push_back(std::move(request));
    }
    return welcome;
}

/// What only a hub says. Most of it is taken note of in silence: an error that answers an error would go to
/// and fro for ever.
Body readHubAnswer(const std::string& type, const JsonValue& message) {
    static const JsonValue kNothing(rapidjson::kObjectType);
    FieldReader fields(message);
    const JsonValue* given = fields.object("data");
    const JsonValue& data = given == nullptr ? kNothing : *given;
    if (type == "error") {
        FieldReader inner(data);
        return HubError{inner.text("code").value_or(""), inner.text("message").value_or("")};
    }
    if (type == "system" && fields.text("event") == "authenticated") return readHubWelcome(data);
    if (type == "system" && fields.text("event") == "reauthenticate") return HubReauthenticate{};
    if (type == "system" && fields.text("event") == "going_away") {
        FieldReader inner(data);
        const double wait = inner.number("retry_after_s", 0, kLongestRetryAfter).value_or(0);
        return HubGoingAway{Microseconds(static_cast<std::int64_t>(wait * 1e6))};
    }
    return HubNotice{};
}

Body readConfig(const JsonValue& message) {
    FieldReader fields(message);
    fields.require("action");
    const std::string word = fields.text("action", 32).value_or("");
    constexpr std::array kActions{ConfigAction::get, ConfigAction::check, ConfigAction::apply,
                                  ConfigAction::confirm, ConfigAction::revert};
    const auto* action = std::ranges::find(kActions, word, [](ConfigAction each) { return nameOf(each); });
    if (fields.ok() && action == kActions.end()) {
        return Refusal{ErrorCode::unsupported, "unknown action", "action"};
    }
    if (!fields.ok()) return badRequest(fields);
    ConfigRequest request{.action = *action, .candidate = {}, .trial = {}};
    if (const auto trial = fields.integer("trial_s", kShortestTrialS, kLongestTrialS))
        request.trial = std::chrono::seconds(*trial);
    if (*action != ConfigAction::check && *action != ConfigAction::apply) return checked(fields, request);
    fields.require("config");
    const JsonValue* candidate = fields.object("config");
    if (!fields.ok()) return badRequest(fields);
    if (isDeeperThan(*candidate, kMostConfigDepth)) {
        return Refusal{ErrorCode::badRequest, "config: lists and objects in one another too deep", "config"};
    }
    request.candidate = toJson(*candidate);
    if (request.candidate.size() > kMostConfigBytes) {
        return Refusal{ErrorCode::tooLarge, concat("a config has at most ", kMostConfigBytes, " bytes"),
                       "config"};
    }
    return request;
}

Body readProbe(const JsonValue& message) {
    FieldReader fields(message);
    return checked(fields, ProbeRequest{fields.text("source", kMostSourceLength).value_or("")});
}

template <class Request>
Body readPlain(const JsonValue&) {
    return Request{};
}

/// What peers may send besides `auth`, and what of them each is: the one table of it. `stream_control` has a
/// table of its actions. Without a reader: not in this version.
struct TypeRule {
    const char* type;
    Deed deed;
    Body (*read)(const JsonValue& message);
};
constexpr std::array kTypes{
    TypeRule{"stream_control", Deed::watch, readStreamControl},
    TypeRule{"subscribe", Deed::watch, readSubscribe},
    TypeRule{"unsubscribe", Deed::watch, readUnsubscribe},
    TypeRule{"status", Deed::watch, readPlain<StatusRequest>},
    TypeRule{"metrics", Deed::watch, readPlain<MetricsRequest>},
    TypeRule{"analytics", Deed::watch, readPlain<AnalyticsRequest>},
    TypeRule{"heartbeat", Deed::watch, readHeartbeat},
    TypeRule{"media_ack", Deed::watch, readMediaAck},
    TypeRule{"ack", Deed::watch, readAck},
    TypeRule{"sessions", Deed::administer, readSessions},
    TypeRule{"rotate_token", Deed::administer, readPlain<RotateTokenRequest>},
    TypeRule{"config", Deed::administer, readConfig},
    TypeRule{"probe", Deed::administer, readProbe},
    TypeRule{"diagnostics", Deed::administer, readPlain<DiagnosticsRequest>},
};

}  // namespace

RequestEnvelope readEnvelope(const JsonValue& message) {
    RequestEnvelope envelope;
    if (!message.IsObject()) {
        envelope.trouble = Refusal{ErrorCode::badRequest, "a message must be a JSON object", ""};
        return envelope;
    }
    FieldReader fields(message);
    if (const JsonValue* id = fields.any("id")) {
        const bool number = id->IsInt64() && id->GetInt64() >= 0 && id->GetInt64() <= kMaxInteger;
        if (number || (id->IsString() && id->GetStringLength() <= 64)) {
            envelope.id = toJson(*id);
        } else {
            fields.refuse("id", "must be a string of at most 64 bytes or an integer from 0 to 2^53-1");
        }
    }
    fields.require("type");
    envelope.type = fields.text("type", 64).value_or("");
    if (const auto ttl = fields.integer("ttl_ms", 0, 3'600'000)) {
        envelope.timeToLive = std::chrono::milliseconds(*ttl);
    }
    if (!fields.ok()) envelope.trouble = badRequest(fields);
    return envelope;
}

bool isHubAnswer(std::string_view type) {
    constexpr std::array<std::string_view, 3> kAnswers{"ok", "system", "error"};
    return std::ranges::find(kAnswers, type) != kAnswers.end();
}

Body readBody(const std::string& type, const JsonValue& message, Speaker speaker) {
    if (speaker == Speaker::viewer && type == "auth") return readAuth(message);
    if (speaker == Speaker::hub && isHubAnswer(type)) return readHubAnswer(type, message);
    const auto* rule = std::ranges::find(kTypes, type, &TypeRule::type);
    if (rule == kTypes.end()) return Refusal{ErrorCode::unsupported, "unknown type", "type"};
    if (rule->read == nullptr) return UnservedRequest{type};
    return rule->read(message);
}

std::optional<Deed> deedOf(std::string_view type, const RequestBody& body) {
    if (const auto* control = std::get_if<StreamControlRequest>(&body)) return control->deed;
    const auto* rule = std::ranges::find(kTypes, type, &TypeRule::type);
    return rule == kTypes.end() ? std::nullopt : std::optional(rule->deed);
}

std::vector<MessageRule> messageRules() {
    std::vector<MessageRule> rules;
    for (const TypeRule& rule : kTypes) {
        if (rule.read != readStreamControl) rules.push_back({rule.type, "", rule.deed});
    }
    for (const auto& [action, deed] : controlActions()) rules.push_back({"stream_control", action, deed});
    return rules;
}

}  // namespace edgecam::uplink
