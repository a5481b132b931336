#include "capture/placement.hpp"

#include <algorithm>
#include <cmath>
#include <string_view>

#include "capture/encoder.hpp"

namespace edgecam::capture {
namespace {

bool allows(const StreamRequest& request, Codec codec) {
    const std::string_view sampleEntry = codec == Codec::h265 ? "hvc1" : "avc1";
    return std::any_of(request.codecs.begin(), request.codecs.end(),
                       [&](const std::string& text) { return text.starts_with(sampleEntry); });
}

/// Sides of pictures are rounded to whole blocks.
constexpr double kAlike = 0.04;
/// Narrower than so much of what was wished is not what was wished.
constexpr double kLeastShare = 0.5;
/// Of the bitrate that was wished.
constexpr double kStays = 1.25;

double shapeOf(Size size) {
    return static_cast<double>(size.width) / size.height;
}

bool isWithin(Size size, Size limit) {
    return size.width <= limit.width * (1 + kAlike) && size.height <= limit.height * (1 + kAlike);
}

/// Whether it may stand for the wished size of such a source: where that is the source's own, nothing may.
bool isNearly(Size size, Size wished, Size source) {
    if (!source.empty()) {
        wished = fittedSize(source, wished);
        if (wished.width >= source.width) return false;
    }
    return isWithin(size, wished) && size.width >= kLeastShare * wished.width;
}

}  // namespace

std::optional<Codec> expectedCodec(const SourceUri& uri) {
    const bool usuallyH264 = uri.kind == SourceKind::rtsp || uri.kind == SourceKind::file;
    if (usuallyH264 || uri.pixelFormat == "H264") return Codec::h264;
    if (uri.pixelFormat == "HEVC") return Codec::h265;
    return std::nullopt;
}

Place placeFor(const StreamRequest& request, const CameraFacts& facts, bool atSub) {
    if (request.form == StreamForm::jpeg) return Place::jpeg;
    const SourceFacts& main = facts.main;
    if (main.codec && !request.wish.encoded) {
        if (allows(request, *main.codec)) return Place::passthrough;
        if (!main.known && allows(request, Codec::h265)) return Place::passthrough;
    }
    if (facts.sub.atHand() && subSuits(request, facts, atSub)) return Place::sub;
    return allows(request, Codec::h264) ? Place::encoded : Place::none;
}

bool sameView(const CameraFacts& facts) {
    const Size main = facts.main.size;
    const Size sub = facts.sub.facts.size;
    if (main.empty() || sub.empty()) return true;
    return std::abs(shapeOf(sub) / shapeOf(main) - 1) <= kAlike;
}

bool subSuits(const StreamRequest& request, const CameraFacts& facts, bool atSub) {
    if (facts.sub.standing == SubStream::Standing::absent || request.form != StreamForm::cmaf) return false;
    const std::optional<SubLimits>& limits = request.wish.sub;
    const SourceFacts& sub = facts.sub.facts;
    if (!limits || !sub.codec || !allows(request, *sub.codec) || !sameView(facts)) return false;
    const double most = limits->kbps * (atSub ? kStays : 1);
    if (limits->kbps > 0 && facts.sub.kbps > most) return false;
    return limits->size == Size{} || sub.size.empty() || isNearly(sub.size, limits->size, facts.main.size);
}

bool subSuffices(const EncoderSettings& aim, const CameraFacts& facts) {
    const SourceFacts& sub = facts.sub.facts;
    if (!sub.known || facts.main.size.empty() || !sameView(facts)) return false;
    const EncoderSettings wanted = fitted(aim, facts.main);
    return isWithin(wanted.size, sub.size) &&
           (wanted.frameRate <= 0 || sub.frameRate <= 0 || wanted.frameRate <= sub.frameRate * (1 + kAlike));
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
