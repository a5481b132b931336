// The words capture and uplink share: what a coded stream is, and the chunk, the unit in which it travels.
// A chunk is made once, in capture, and shared by every peer; nobody copies or changes its payload.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/bytes.hpp"
#include "base/clock.hpp"
#include "base/geometry.hpp"

namespace edgecam {

enum class Codec { h264, h265, jpeg };

/// Where a rendition comes from.
enum class RenditionKind : std::uint8_t {
    encoded = 0,
    passthrough = 1,  ///< the camera's own coding
    sub = 2,          ///< that of its second, smaller stream
    jpeg = 3,
};

/// The wire's word for it, in stream_status and metrics.
inline const char* nameOf(RenditionKind kind) {
    switch (kind) {
        case RenditionKind::encoded:
            return "encoded";
        case RenditionKind::passthrough:
            return "passthrough";
        case RenditionKind::sub:
            return "sub";
        case RenditionKind::jpeg:
            return "jpeg";
    }
    return "encoded";
}

/// Whether the camera coded it and not this box.
inline bool isPassedThrough(RenditionKind kind) {
    return kind == RenditionKind::passthrough || kind == RenditionKind::sub;
}

/// What a receiver needs to know before the first picture. Immutable once published.
struct StreamFormat {
    Codec codec = Codec::h264;
    std::string codecString;  ///< RFC 6381, e.g. "avc1.64001f"; "jpeg" for pictures
    std::string mime;         ///< for MediaSource.isTypeSupported, e.g. `video/mp4; codecs="avc1.64001f"`
    Size size;
    double frameRate = 0;  ///< nominal, pictures a second; 0 = unknown
    RenditionKind kind = RenditionKind::encoded;
    std::string encoder;  ///< element that coded it; empty where it is passed through
};

/// A coded stream of one camera for the life of the process, whatever its format becomes. A new format of the
/// same rendition is a new channel.
using RenditionId = std::uint32_t;

/// The binary message kinds of docs/protocol.md.
enum class ChunkKind : std::uint8_t { initSegment = 1, accessUnit = 2, jpeg = 3, clip = 4, deflatedJson = 5 };

struct Chunk {
    RenditionId rendition = 0;
    std::uint16_t channel = 0;
    ChunkKind kind = ChunkKind::accessUnit;
    bool keyFrame = false;       ///< decodable without any earlier chunk but the init segment
    bool discontinuity = false;  ///< the source broke off before this one
    std::uint32_t sequence = 0;  ///< the camera's picture number, the same in every rendition
    Utc captureTime;
    SharedBytes payload;  ///< ftyp+moov, moof+mdat, or a JPEG
    std::shared_ptr<const StreamFormat> format;
    /// When the payload was made, on the clock that all processes of this machine share; nothing: it is no
    /// news, and nobody times what becomes of it.
    std::optional<Monotonic> madeAt{};
};

/// What a new consumer of a rendition gets before the live chunks: its init segment and the access units
/// since the last key frame. Empty when the rendition has no format yet.
struct Backlog {
    std::vector<Chunk> chunks;
    /// Capture time of the newest cached picture: what follows is live.
    std::optional<Utc> liveFrom;
};

/// `degraded`: its pictures come, but something is wrong with them.
enum class CameraState { starting, live, degraded, stopped, reconnecting, error, disabled };

/// Whether pictures come.
inline bool isDelivering(CameraState state) {
    return state == CameraState::live || state == CameraState::degraded;
}

/// The wire's word for a state.
inline const char* nameOf(CameraState state) {
    switch (state) {
        case CameraState::starting:
            return "starting";
        case CameraState::live:
            return "live";
        case CameraState::degraded:
            return "degraded";
        case CameraState::stopped:
            return "stopped";
        case CameraState::reconnecting:
            return "reconnecting";
        case CameraState::error:
            return "error";
        case CameraState::disabled:
            return "disabled";
    }
    return "error";
}

/// How much of a coded stream is decoded.
enum class Decoding { none, keyFrames, all };

/// Names on the wire.
inline const char* nameOf(Decoding decoding) {
    if (decoding == Decoding::none) return "none";
    return decoding == Decoding::keyFrames ? "key_frames" : "full";
}

/// How faces are looked for.
struct Analysis {
    double rateHz = 0;   ///< pictures a second, at most; 0: none
    Size size;           ///< that they are fitted into
    std::string reason;  ///< why one of them is less than the config asks, a sentence; empty: none is
    bool operator==(const Analysis&) const = default;
};

/// Where a camera stands, for people and peers. A value: copied to whoever wants it.
struct CameraStatus {
    std::string cameraId;
    CameraState state = CameraState::starting;
    std::string reason;   ///< why it is not live, or degraded, a sentence; empty when it is live
    std::string warning;  ///< what is not well with it although it is live, a sentence; empty: nothing
    Size size;            ///< of the source; empty while unknown
    double frameRate = 0;
    std::string detector;  ///< "yunet", "haar cascade", "off", or why there is none
    Analysis analysis;
    std::uint64_t restarts = 0;
    bool operator==(const CameraStatus&) const = default;
};

}  // namespace edgecam
