#include "capture/rtsp_stream.hpp"

#include <string_view>

#include "base/foreign_words.hpp"

namespace edgecam::capture {
namespace {

constexpr const char* kH264 =
    "rtph264depay name=head ! h264parse ! capsfilter name=tail "
    "caps=video/x-h264,stream-format=avc,alignment=au";
constexpr const char* kH265 =
    "rtph265depay name=head ! h265parse ! capsfilter name=tail "
    "caps=video/x-h265,stream-format=hvc1,alignment=au";
constexpr std::size_t kMostOfEncoding = 40;

std::string_view textField(const GstCaps* caps, const char* name) {
    if (!caps || gst_caps_is_any(caps) || gst_caps_is_empty(caps)) return {};
    const char* text = gst_structure_get_string(gst_caps_get_structure(caps, 0), name);
    return text ? text : "";
}

}  // namespace

bool isVideo(const GstCaps* caps) {
    return textField(caps, "media") == "video";
}

Result<const char*> chainFor(const GstCaps* caps) {
    const std::string_view encoding = textField(caps, "encoding-name");
    if (encoding == "H264") return kH264;
    if (encoding == "H265") return kH265;
    if (encoding.empty()) return Error{"the camera does not say how its video is coded"};
    return Error{"the camera sends " + quoted(encoding, kMostOfEncoding) + ", not H.264 or H.265"};
}

}  // namespace edgecam::capture
