#define GST_USE_UNSTABLE_API
#include <gst/sdp/sdp.h>

#include <algorithm>
#include <cstdlib>
#include <memory>
#include <string_view>

#include "capture/gst.hpp"
#include "capture/rtsp_stream.hpp"
#include "tests/fuzz/lines.hpp"

using namespace edgecam;

namespace {

using Message = std::unique_ptr<GstSDPMessage, decltype(&gst_sdp_message_free)>;

Message parsed(const std::uint8_t* data, std::size_t size) {
    GstSDPMessage* raw = nullptr;
    gst_sdp_message_new(&raw);
    Message message(raw, &gst_sdp_message_free);
    const bool understood = gst_sdp_message_parse_buffer(data, static_cast<guint>(size), raw) == GST_SDP_OK;
    return understood ? std::move(message) : Message(nullptr, &gst_sdp_message_free);
}

/// What it warns of here is as much as the fuzzer likes.
void quietGStreamer() {
    g_log_set_default_handler([](const gchar*, GLogLevelFlags, const gchar*, gpointer) {}, nullptr);
}

bool holds(std::string_view text, std::string_view word) {
    const auto same = [](char a, char b) { return g_ascii_toupper(a) == g_ascii_toupper(b); };
    return std::search(text.begin(), text.end(), word.begin(), word.end(), same) != text.end();
}

void decide(const GstCaps* caps, std::string_view sdp) {
    const bool video = capture::isVideo(caps);
    if (video && !holds(sdp, "video")) __builtin_trap();
    const auto chain = capture::chainFor(caps);
    if (chain) {
        const bool h264 = std::string_view(*chain).starts_with("rtph264depay");
        if (!holds(sdp, h264 ? "H264" : "H265")) __builtin_trap();
        return;
    }
    // It goes into a log, a page and a terminal.
    const auto& sentence = chain.error().message;
    const bool plain = std::ranges::all_of(sentence, [](char c) { return c >= ' ' && c <= '~'; });
    if (!plain || sentence.empty() || sentence.size() > 120) __builtin_trap();
}

}  // namespace

// What a camera answers to DESCRIBE. GStreamer reads it and makes caps of it, as its rtspsrc does; what our
// code makes of those is checked.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    capture::startGStreamer();
    quietGStreamer();
    const Message message = parsed(data, size);
    if (!message) return 0;
    for (guint i = 0; i < gst_sdp_message_medias_len(message.get()); ++i) {
        const GstSDPMedia* media = gst_sdp_message_get_media(message.get(), i);
        for (guint j = 0; j < gst_sdp_media_formats_len(media); ++j) {
            const int type = std::atoi(gst_sdp_media_get_format(media, j));
            const auto caps = capture::adopt(gst_sdp_media_get_caps_from_media(media, type));
            if (!caps) continue;
            gst_sdp_message_attributes_to_caps(message.get(), caps.get());
            gst_sdp_media_attributes_to_caps(media, caps.get());
            decide(caps.get(), fuzz::textOf(data, size));
        }
    }
    return 0;
}
