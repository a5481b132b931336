// The plan for file:// sources: the first video track at real-time pace, over and over. H.264 and H.265 are
// passed through, other codings are decoded.
#include <filesystem>
#include <string>
#include <string_view>

#include "capture/pipeline_source.hpp"

namespace edgecam::capture {
namespace {

constexpr const char* kH264 =
    "h264parse name=head ! video/x-h264,stream-format=avc,alignment=au ! clocksync name=tail";
constexpr const char* kH265 =
    "h265parse name=head ! video/x-h265,stream-format=hvc1,alignment=au ! clocksync name=tail";
constexpr const char* kOther =
    "decodebin name=head ! videoconvert ! video/x-raw,format=I420 ! clocksync name=tail";

void attachTrack(GstElement* demuxer, GstPad* pad, gpointer) noexcept {
    auto caps = adopt(gst_pad_get_current_caps(pad));
    if (!caps) caps = adopt(gst_pad_query_caps(pad, nullptr));
    const std::string_view name = gst_structure_get_name(gst_caps_get_structure(caps.get(), 0));
    if (name == "video/x-h264") {
        attachChain(demuxer, pad, kH264);
    } else if (name == "video/x-h265") {
        attachChain(demuxer, pad, kH265);
    } else if (name.starts_with("video/") || name.starts_with("image/")) {
        attachChain(demuxer, pad, kOther);
    }
}

/// GStreamer's own words for it ("Resource not found.") do not say which.
Result<void> checkFile(const std::string& path) {
    std::error_code trouble;
    if (!std::filesystem::exists(path, trouble)) return Error{"no such file: " + path};
    if (std::filesystem::is_directory(path, trouble)) return Error{path + " is a folder"};
    return {};
}

const char* demuxerFor(const std::filesystem::path& file) {
    const auto extension = file.extension();
    return extension == ".mkv" || extension == ".webm" ? "matroskademux" : "qtdemux";
}

}  // namespace

Result<SourcePlan> planFile(const SourceUri& uri) {
    auto pipeline = Pipeline::parse(std::string("filesrc name=file ! ") + demuxerFor(uri.location) +
                                    " name=in appsink name=out");
    if (!pipeline) return pipeline.error();
    const auto file = pipeline->element("file");
    g_object_set(file.get(), "location", uri.location.c_str(), nullptr);
    const auto demuxer = pipeline->element("in");
    g_signal_connect(demuxer.get(), "pad-added", G_CALLBACK(attachTrack), nullptr);
    return SourcePlan{.pipeline = std::move(*pipeline),
                      .prepare = [path = uri.location](GstElement*) { return checkFile(path); },
                      .loops = true};
}

}  // namespace edgecam::capture
