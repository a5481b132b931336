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

/// What to expect before the first picture.
std::optional<Codec> expectedCodec(const SourceUri& uri);

enum class Place { none, passthrough, encoded, jpeg };

/// Where a request is served: by the camera's own coding if that is allowed, else by the encode. As long as
/// the source is not known, a request that takes H.265 counts as served by an RTSP camera or a file.
Place placeFor(const StreamRequest& request, const SourceFacts& facts);

/// Within the bounds of EncoderSettings.
EncoderSettings bounded(EncoderSettings settings);

/// What an encode of this source would really aim at: bounded, and no more than the source has.
EncoderSettings fitted(const EncoderSettings& wanted, const SourceFacts& facts);

}  // namespace edgecam::capture
