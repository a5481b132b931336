// The plan for rtsp:// sources: the first video stream, depayloaded and parsed, never decoded.
#include <string_view>

#include "capture/pipeline_source.hpp"

namespace edgecam::capture {
namespace {

constexpr const char* kH264 =
    "rtph264depay name=head ! h264parse ! capsfilter name=tail "
    "caps=video/x-h264,stream-format=avc,alignment=au";
constexpr const char* kH265 =
    "rtph265depay name=head ! h265parse ! capsfilter name=tail "
    "caps=video/x-h265,stream-format=hvc1,alignment=au";
constexpr int kRtspPort = 554;                ///< RFC 7826, section 19.2
constexpr guint64 kTcpTimeoutUs = 5'000'000;  ///< rtspsrc's own is 20 s
constexpr guint kUdpReorderMs = 80;  ///< what a jitter buffer needs where packets may overtake each other

std::string_view textField(const GstStructure* structure, const char* name) {
    const char* text = gst_structure_get_string(structure, name);
    return text ? text : "";
}

gboolean selectVideo(GstElement*, guint, GstCaps* caps, gpointer) noexcept {
    return textField(gst_caps_get_structure(caps, 0), "media") == "video";
}

void attachStream(GstElement* source, GstPad* pad, gpointer) noexcept {
    const auto caps = adopt(gst_pad_get_current_caps(pad));
    if (!caps) return;
    const GstStructure* structure = gst_caps_get_structure(caps.get(), 0);
    if (textField(structure, "media") != "video") return;
    const std::string_view encoding = textField(structure, "encoding-name");
    if (encoding == "H264") {
        attachChain(source, pad, kH264);
    } else if (encoding == "H265") {
        attachChain(source, pad, kH265);
    } else {
        postError(source, "the camera sends " + std::string(encoding) + ", not H.264 or H.265");
    }
}

/// "host:port" of a URL; an IPv6 address in brackets.
std::string addressOf(const std::string& url) {
    constexpr auto kFlags = static_cast<GUriFlags>(G_URI_FLAGS_ENCODED_PATH | G_URI_FLAGS_ENCODED_QUERY);
    const std::unique_ptr<GUri, decltype(&g_uri_unref)> uri(g_uri_parse(url.c_str(), kFlags, nullptr),
                                                            &g_uri_unref);
    if (!uri) return "the camera";
    const std::string host = g_uri_get_host(uri.get());
    const int port = g_uri_get_port(uri.get());
    const bool bare = host.find(':') != std::string::npos;
    return (bare ? '[' + host + ']' : host) + ':' + std::to_string(port > 0 ? port : kRtspPort);
}

}  // namespace

Result<SourcePlan> planRtsp(const SourceUri& uri) {
    auto pipeline = Pipeline::parse("rtspsrc name=in appsink name=out");
    if (!pipeline) return pipeline.error();
    const auto source = pipeline->element("in");
    const bool udp = uri.transport == RtspTransport::udp;
    // Credentials as properties: rtspsrc logs its URL.
    g_object_set(source.get(), "location", uri.location.c_str(), "user-id", uri.user.c_str(), "user-pw",
                 uri.password.c_str(), "tcp-timeout", kTcpTimeoutUs, "latency", udp ? kUdpReorderMs : 0U,
                 nullptr);
    gst_util_set_object_arg(G_OBJECT(source.get()), "protocols", udp ? "udp" : "tcp");
    g_signal_connect(source.get(), "select-stream", G_CALLBACK(selectVideo), nullptr);
    g_signal_connect(source.get(), "pad-added", G_CALLBACK(attachStream), nullptr);
    return SourcePlan{.pipeline = std::move(*pipeline), .address = addressOf(uri.location)};
}

}  // namespace edgecam::capture
