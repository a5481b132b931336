// The plan for rtsp:// sources: the first video stream, depayloaded and parsed, never decoded.
#include "capture/pipeline_source.hpp"
#include "capture/rtsp_stream.hpp"

namespace edgecam::capture {
namespace {

constexpr int kRtspPort = 554;                ///< RFC 7826, section 19.2
constexpr guint64 kTcpTimeoutUs = 5'000'000;  ///< rtspsrc's own is 20 s
constexpr guint kUdpReorderMs = 80;  ///< what a jitter buffer needs where packets may overtake each other

gboolean selectVideo(GstElement*, guint, GstCaps* caps, gpointer) noexcept {
    return isVideo(caps);
}

void attachStream(GstElement* source, GstPad* pad, gpointer) noexcept {
    const auto caps = adopt(gst_pad_get_current_caps(pad));
    if (!isVideo(caps.get())) return;
    if (const auto chain = chainFor(caps.get())) {
        attachChain(source, pad, *chain);
    } else {
        postError(source, chain.error().message);
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
