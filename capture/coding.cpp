#include "capture/coding.hpp"

#include <algorithm>
#include <cmath>
#include <string_view>
#include <utility>

#include "base/log.hpp"
#include "capture/gst.hpp"

namespace edgecam::capture {
namespace {

constexpr int kLargestCoded = 0xffff;  // VisualSampleEntry: 16 bits (ISO/IEC 14496-12, 12.1.3)

ByteBuffer codecDataOf(const GstStructure* structure) {
    const GValue* value = gst_structure_get_value(structure, "codec_data");
    GstBuffer* buffer = value ? gst_value_get_buffer(value) : nullptr;
    if (!buffer) return {};
    ByteBuffer data(gst_buffer_get_size(buffer));
    gst_buffer_extract(buffer, 0, data.data(), data.size());
    return data;
}

std::optional<Codec> codecOf(std::string_view name) {
    if (name == "video/x-h264") return Codec::h264;
    if (name == "video/x-h265") return Codec::h265;
    if (name == "image/jpeg") return Codec::jpeg;
    return std::nullopt;
}

}  // namespace

double plausibleRate(double told) {
    return told >= kLeastRate && told <= kMostRate ? told : 0;
}

Result<Coding> codingOf(const GstCaps* caps) {
    if (!caps || gst_caps_is_empty(caps)) return Error{"no caps"};
    const GstStructure* structure = gst_caps_get_structure(caps, 0);
    const auto codec = codecOf(gst_structure_get_name(structure));
    if (!codec) return Error{concat("not a coding for the wire: ", gst_structure_get_name(structure))};

    Coding coding;
    coding.track.codec = *codec;
    coding.track.codecData = codecDataOf(structure);
    gst_structure_get_int(structure, "width", &coding.track.size.width);
    gst_structure_get_int(structure, "height", &coding.track.size.height);
    Fraction rate;
    if (gst_structure_get_fraction(structure, "framerate", &rate.numerator, &rate.denominator)) {
        coding.frameRate = plausibleRate(static_cast<double>(rate.numerator) / rate.denominator);
    }
    if (coding.track.size.empty()) return Error{"the coded size is unknown"};
    if (std::max(coding.track.size.width, coding.track.size.height) > kLargestCoded) {
        return Error{concat("the coded size is above ", kLargestCoded, " pixels a side")};
    }
    if (*codec != Codec::jpeg && coding.track.codecData.empty()) return Error{"no codec_data"};
    return coding;
}

AccessUnit accessUnitOf(GstBuffer* buffer, ByteView data, const GstSegment* segment, Microseconds running,
                        double frameRate) {
    AccessUnit unit;
    unit.data = data;
    unit.pts = running;
    unit.dts = runningTime(segment, GST_BUFFER_DTS(buffer));
    if (frameRate > 0) unit.duration = Microseconds(std::llround(1e6 / frameRate));
    unit.keyFrame = !GST_BUFFER_FLAG_IS_SET(buffer, GST_BUFFER_FLAG_DELTA_UNIT);
    return unit;
}

GstCaps* newCapsOf(const Coding& coding) {
    const TrackFormat& track = coding.track;
    const bool isH264 = track.codec == Codec::h264;
    GstCaps* caps =
        gst_caps_new_simple(isH264 ? "video/x-h264" : "video/x-h265", "stream-format", G_TYPE_STRING,
                            isH264 ? "avc" : "hvc1", "alignment", G_TYPE_STRING, "au", "width", G_TYPE_INT,
                            track.size.width, "height", G_TYPE_INT, track.size.height, nullptr);
    const auto data = adopt(gst_buffer_new_memdup(track.codecData.data(), track.codecData.size()));
    gst_caps_set_simple(caps, "codec_data", GST_TYPE_BUFFER, data.get(), nullptr);
    return caps;
}

std::shared_ptr<const Coding> CodingReader::read(GstCaps* caps) {
    if (caps == caps_) return coding_;
    gst_caps_replace(&caps_, caps);
    coding_.reset();
    auto coding = codingOf(caps);
    if (!coding) return nullptr;
    coding->encoder = encoder_;
    coding_ = std::make_shared<const Coding>(std::move(*coding));
    return coding_;
}

}  // namespace edgecam::capture
