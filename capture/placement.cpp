#include "capture/placement.hpp"

#include <algorithm>
#include <string_view>

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

}  // namespace edgecam::capture
