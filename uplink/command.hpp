// Commands: what a peer asks of the agent, after it was read, checked against the peer's role and found in
// order; and what the agent answers. Plain values that cross from a service thread to the main thread and
// back.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <variant>
#include <vector>

#include "base/clock.hpp"
#include "base/link_gate.hpp"
#include "base/media.hpp"
#include "uplink/access.hpp"

namespace edgecam::uplink {

/// Whether a word can be a camera's id: [A-Za-z0-9_-]{1,64}.
bool isCameraId(std::string_view word);

/// One connection, unique in the process.
using SessionId = std::uint64_t;
/// One request of one session that waits for its outcome.
using TicketId = std::uint64_t;

enum class ErrorCode {
    unauthorized,
    forbidden,
    badRequest,
    unsupported,
    unknownCamera,
    notFound,
    unavailable,
    busy,
    tooLarge,
    rateLimited,
    expired,
    conflict,
    cameraFailed,
    internal,
};
/// The wire's word, e.g. "bad_request".
const char* nameOf(ErrorCode code);

enum class StreamForm { cmaf, jpeg };

struct StartStream {
    StreamForm form = StreamForm::cmaf;
    std::vector<std::string> codecs;  ///< prefixes such as "avc1", "hvc1"
};
struct StopStream {
    std::optional<StreamForm> form;  ///< nothing: all of this camera
};
struct SetQuality {
    std::string mode = "auto";  ///< "low", "medium", "high", "auto", "custom"
    std::optional<int> bitrateKbps, minBitrateKbps, maxBitrateKbps, width, height;
    std::optional<double> frameRate;
    bool forCamera = false;  ///< scope "camera": becomes the camera's default
};
struct ForceKeyFrame {};
struct TakeSnapshot {};
struct EnableCamera {
    bool enabled = true;
};

/// No peer asks for it, the session's own link does: so much it carries of the camera's video now.
struct FollowLink {
    int kbps = 0;
    std::shared_ptr<LinkGate> gate;  ///< for the encoder; null from another process
};

/// The same of a metered link's plan: whether the session takes only key frames of the camera's video, now
/// and then (kPlanKeyFrames).
struct FollowPlan {
    bool keyFramesOnly = false;
};
/// From one of these key frames to the next, about.
inline constexpr Microseconds kPlanKeyFrames = std::chrono::seconds(10);

// Of the agent, not of a camera: Command::cameraId is empty.
struct RotateToken {};
enum class ConfigAction { get, check, apply, confirm, revert };
/// The wire's word, e.g. "get".
const char* nameOf(ConfigAction action);
struct AskConfig {
    ConfigAction action = ConfigAction::get;
    std::string candidate;                           ///< JSON object, of check and apply
    Microseconds trial = std::chrono::seconds(120);  ///< of apply
    std::string by;                                  ///< whose token it is, for the record
};
struct AskDiagnostics {};
struct AskProbe {
    std::string source;  ///< to be tried too, as a config has it; empty: none
};

using CameraAction =
    std::variant<StartStream, StopStream, SetQuality, ForceKeyFrame, TakeSnapshot, EnableCamera, RotateToken,
                 FollowLink, FollowPlan, AskConfig, AskDiagnostics, AskProbe>;

template <class Action>
inline constexpr bool isAboutAgent =
    std::is_same_v<Action, RotateToken> || std::is_same_v<Action, AskConfig> ||
    std::is_same_v<Action, AskDiagnostics> || std::is_same_v<Action, AskProbe>;

struct Command {
    SessionId session = 0;
    TicketId ticket = 0;  ///< 0: no outcome is wanted, e.g. a key frame asked for after a cut
    std::string cameraId;
    CameraAction action;
    Role role = Role::viewer;  ///< of the session, checked already; some actions weigh differently by it
    std::optional<Monotonic> expiresAt;  ///< from the peer's ttl_ms: later it is refused as `expired`
};

struct Refusal {
    ErrorCode code = ErrorCode::internal;
    std::string message;
    std::string field;  ///< the field at fault, for bad_request
};
struct Done {};
/// A stream for this session: which rendition it follows from now on, and what came before. Also answers
/// SetQuality, where the wish moves the session's stream to another rendition.
struct StreamGrant {
    StreamForm form = StreamForm::cmaf;
    RenditionId rendition = 0;
    Backlog backlog;
    std::string quality;        ///< in force: "low", "medium", "high", "auto", "custom", "source"
    int targetBitrateKbps = 0;  ///< 0 for passthrough
};
/// Answers SetQuality where no stream moves.
struct QualityInForce {
    std::string quality;
    int targetBitrateKbps = 0;
    Size size;
    double frameRate = 0;
};
struct SnapshotTaken {
    Chunk jpeg;
};

/// Answers RotateToken.
struct TokenRotated {
    std::string token;  ///< the new one; in force already
    Microseconds oldHoldsFor{0};
};

/// Answers AskConfig, AskDiagnostics and AskProbe: what the agent says there is its own.
struct Report {
    std::string json;  ///< an object
};

using Outcome = std::variant<Done, Refusal, StreamGrant, QualityInForce, SnapshotTaken, TokenRotated, Report>;

/// Something became of a config that was on trial, or was read again: for administrators, unasked.
struct ConfigNews {
    std::string json;  ///< an object
};

/// Where commands go. Implemented by the agent; called on service threads, must not block.
class CommandSink {
  public:
    virtual ~CommandSink() = default;
    /// Exactly one outcome is expected for every ticket, through PeerExchange::complete.
    virtual void submit(const Command& command) = 0;
    /// The session is gone: its streams end, outcomes for it are ignored.
    virtual void sessionEnded(SessionId session) = 0;
};

}  // namespace edgecam::uplink
