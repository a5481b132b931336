#include "capture/placement.hpp"

#include <algorithm>
#include <string_view>

#include "capture/encoder.hpp"

namespace edgecam::capture {
namespace {

bool allows(const StreamRequest& request, Codec codec) {
    const std::string_view sampleEntry = codec == Codec::h265 ? "hvc1" : "avc1";
    return std::any_of(request.codecs.begin(), request.codecs.end(),
                       [&](const std::string& text) { return text.starts_with(sampleEntry); });
}

}  // namespace

std::optional<Codec> expectedCodec(const SourceUri& uri) {
    const bool usuallyH264 = uri.kind == SourceKind::rtsp || uri.kind == SourceKind::file;
    if (usuallyH264 || uri.pixelFormat == "H264") return Codec::h264;
    if (uri.pixelFormat == "HEVC") return Codec::h265;
    return std::nullopt;
}

Place placeFor(const StreamRequest& request, const SourceFacts& facts) {
    if (request.form == StreamForm::jpeg) return Place::jpeg;
    if (facts.codec && !request.wish.encoded) {
        if (allows(request, *facts.codec)) return Place::passthrough;
        if (!facts.known && allows(request, Codec::h265)) return Place::passthrough;
    }
    return allows(request, Codec::h264) ? Place::encoded : Place::none;
}

EncoderSettings bounded(EncoderSettings settings) {
    settings.bitrateKbps = std::clamp(settings.bitrateKbps, 50, 50'000);
    settings.frameRate = std::max(settings.frameRate, 0.0);
    return settings;
}

EncoderSettings fitted(const EncoderSettings& wanted, const SourceFacts& facts) {
    EncoderSettings fitted = bounded(wanted);
    if (!facts.size.empty()) fitted.size = fittedSize(facts.size, wanted.size);
    if (facts.frameRate > 0 && (fitted.frameRate <= 0 || fitted.frameRate > facts.frameRate)) {
        fitted.frameRate = facts.frameRate;
    }
    return fitted;
}

}  // namespace edgecam::capture
