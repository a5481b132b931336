// Placement: which of a camera's renditions serves a request, given what is known of its source. Pure.
#pragma once

#include <optional>

#include "base/geometry.hpp"
#include "base/media.hpp"
#include "capture/camera.hpp"

namespace edgecam::capture {

/// What the pictures so far have told about the source.
struct SourceFacts {
    bool known = false;          ///< there was a picture; before that the codec is an expectation
    std::optional<Codec> codec;  ///< nothing: raw pictures
    Size size;
    double frameRate = 0;
    bool operator==(const SourceFacts&) const = default;
};

/// The camera's second, smaller stream.
struct SubStream {
    enum class Standing {
        absent,   ///< the camera has none
        away,     ///< it is down
        awaited,  ///< it is closed or being opened, and most likely soon there
        live,
    };
    Standing standing = Standing::absent;
    SourceFacts facts;  ///< as seen last
    int kbps = 0;       ///< as measured last; 0: not yet

    /// Whether it is there, or soon.
    [[nodiscard]] bool atHand() const { return standing == Standing::awaited || standing == Standing::live; }
};

struct CameraFacts {
    SourceFacts main;
    SubStream sub;
};

/// What to expect before the first picture.
std::optional<Codec> expectedCodec(const SourceUri& uri);

enum class Place { none, passthrough, sub, encoded, jpeg };

/// Where a request is served: by the camera's own coding if that is allowed, else by its sub stream if that
/// is at hand and suits, else by an encode. As long as the source is not known, a request that takes H.265
/// counts as served by an RTSP camera or a file. `atSub`: it is served there now.
Place placeFor(const StreamRequest& request, const CameraFacts& facts, bool atSub = false);

/// Whether the sub stream shows what the main one does: it has its shape, or either is not known. Where the
/// camera cuts a part out, boxes found in one would lie wrong on the other.
bool sameView(const CameraFacts& facts);

/// Whether the sub stream is what the request's limits are for, as far as it is known; whether or not it is
/// at hand. Who is served there stays while its bitrate is a little more than was wished, since bitrates
/// waver.
bool subSuits(const StreamRequest& request, const CameraFacts& facts, bool atSub = false);

/// Whether an encode with that aim loses nothing when it is made of the sub stream's pictures.
bool subSuffices(const EncoderSettings& aim, const CameraFacts& facts);

/// Within the bounds of EncoderSettings.
EncoderSettings bounded(EncoderSettings settings);

/// What an encode of this source would really aim at: bounded, and no more than the source has.
EncoderSettings fitted(const EncoderSettings& wanted, const SourceFacts& facts);

}  // namespace edgecam::capture
