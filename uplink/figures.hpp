// Figures: what the agent, its services and its connections count, as plain values for `metrics` messages and
// /metrics. Snapshots: made by the thread that owns what is counted, then only read. Totals only grow.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.hpp"
#include "base/delays.hpp"
#include "uplink/access.hpp"
#include "uplink/command.hpp"
#include "uplink/data_plan.hpp"
#include "uplink/journal.hpp"
#include "uplink/lane_queue.hpp"
#include "uplink/rate_controller.hpp"

namespace edgecam::uplink {

/// The wire's word for a lane by its number, e.g. "video"; "lane_7" for one that has no word yet.
std::string laneName(std::size_t lane);

// Of the agent, gathered on its main thread.

/// Of the faces in a camera's view, or in one of its zones. Totals count from the agent's start.
struct FaceFigures {
    std::uint64_t present = 0;
    std::uint64_t lastMinute = 0;  ///< came in the last 60 s
    std::uint64_t entered = 0;
    std::uint64_t left = 0;
    DwellTimes dwell;  ///< of those that left
    bool operator==(const FaceFigures&) const = default;
};

struct CameraFigures {
    std::uint64_t pictures = 0;  ///< at the source
    /// Of its coded pictures, and of its sub stream's; none of those that come raw.
    Decoding decoding = Decoding::none;
    Decoding subDecoding = Decoding::none;
    std::uint64_t decoderDrops = 0;
    std::uint64_t encoderDrops = 0;
    std::uint64_t decoderFailures = 0;
    std::uint64_t encoderFailures = 0;
    std::uint64_t analysed = 0;  ///< pictures looked through for faces
    std::uint64_t skipped = 0;   ///< replaced by a newer one before anybody looked
    std::uint64_t still = 0;     ///< not looked through: nobody was followed, and nothing had changed
    std::uint64_t failed = 0;    ///< the detector gave an error
    Microseconds lastAnalysis{0};
    Microseconds analysisWork{0};           ///< processor time of all analyses
    std::array<std::uint64_t, 3> events{};  ///< by FacePhase
    FaceFigures faces;
    std::map<std::string, FaceFigures> zones;  ///< by name: those of the config
    PictureDelays passthroughDelays, subDelays, encodedDelays, jpegDelays;
};

struct ProcessFigures {
    std::uint64_t residentBytes = 0;
    std::uint64_t anonymousBytes = 0;  ///< of these, what no file stands behind: what a leak grows
    double cpuSeconds = 0;             ///< user and system
    std::uint64_t threads = 0;
    std::uint64_t descriptors = 0;
};

/// The journal's would be a member here, filled where the others are (agent/agent.cpp).
struct AgentFigures {
    std::map<std::string, CameraFigures> cameras;
    ProcessFigures process;
    std::optional<JournalStatus> journal;      ///< nothing: there is nobody to keep events for
    std::map<std::string, PlanFigures> plans;  ///< of metered uplinks, by UplinkStatus::name
};

// Of connections, on their service's thread.

using LaneTable = std::array<LaneUse, kLaneCount>;

/// Payload bytes of WebSocket messages, without their frames' heads.
struct Traffic {
    std::uint64_t bytesIn = 0;
    std::uint64_t bytesOut = 0;
    std::uint64_t messagesIn = 0;
    std::uint64_t messagesOut = 0;
};

struct StreamFigures {
    std::string cameraId;
    StreamForm form = StreamForm::cmaf;
    std::optional<std::uint16_t> channel;
    int kbps = 0;  ///< as it came from the camera or encoder, over the last seconds; 0: not known yet
};

/// Errors of one code that a peer was told.
struct ErrorFigures {
    std::uint64_t count = 0;
    std::string lastText;
    Utc lastAt;
};

/// A link that video follows, as its rate controller saw it last.
struct LinkFigures {
    int targetKbps = 0;  ///< for the encoders, in all
    RateState state = RateState::start;
    bool isLimit = false;   ///< it was seen to carry less than it was given; before, nobody is asked for less
    int carriedKbps = 0;    ///< what was acknowledged over 250 ms, the highest of 2 s; 0: not known yet
    Microseconds delay{0};  ///< what would wait of a picture captured now
    Microseconds roundTrip{0};   ///< without queueing
    double receiverLimited = 0;  ///< share of the time in which the peer's window was the limit, 0 to 1
    /// From handing a picture to the socket to the peer's `media_ack`; nothing: it sends none.
    std::optional<Microseconds> ackDelay;
};

struct ConnectionFigures {
    bool authenticated = false;
    Role role = Role::viewer;
    Microseconds age{0};
    Traffic traffic;
    LaneTable lanes;
    std::vector<StreamFigures> streams;
    std::map<ErrorCode, ErrorFigures> errors;
    Delays eventAcks;  ///< from an event's commit to the peer's `ack`
    Delays mediaAcks;  ///< from handing a picture to the socket to the peer's `media_ack`
    std::optional<LinkFigures> link;
};

/// Of the pictures that a service's connections carried, each once for every connection. Those of a backlog
/// are not among them.
struct VideoDelays {
    Delays queue;   ///< from the making of its chunk until the socket was given the last byte
    Delays socket;  ///< from then until the peer's machine acknowledged it; of one in some
};

/// All connections of one service together. What is a total includes those that have ended.
struct ServiceFigures {
    std::map<Role, std::size_t> peers;  ///< authenticated, now
    LaneTable lanes;
    Traffic traffic;
    std::map<ErrorCode, std::uint64_t> errors;
    VideoDelays video;
    Delays eventAcks, mediaAcks;
    std::optional<LinkFigures> link;  ///< of one of the connections; an uplink has one

    void add(const ConnectionFigures& open);
    /// Takes in only what outlives the connection: its totals.
    void addEnded(const ConnectionFigures& ended);
};

}  // namespace edgecam::uplink
