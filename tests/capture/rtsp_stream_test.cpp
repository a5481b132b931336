#include "capture/rtsp_stream.hpp"

#include <doctest/doctest.h>

#include <string_view>

#include "capture/gst.hpp"

using namespace edgecam;
using namespace edgecam::capture;

namespace {

Handle<GstCaps> stream(const char* media, const char* encoding) {
    startGStreamer();
    return adopt(gst_caps_new_simple("application/x-rtp", "media", G_TYPE_STRING, media, "encoding-name",
                                     G_TYPE_STRING, encoding, nullptr));
}

std::string whyNot(const GstCaps* caps) {
    const auto chain = chainFor(caps);
    return chain ? "taken" : chain.error().message;
}

}  // namespace

TEST_CASE("video is taken, H.264 and H.265 of it") {
    CHECK(isVideo(stream("video", "H264").get()));
    CHECK_FALSE(isVideo(stream("audio", "PCMA").get()));
    CHECK(std::string_view(*chainFor(stream("video", "H264").get())).starts_with("rtph264depay"));
    CHECK(std::string_view(*chainFor(stream("video", "H265").get())).starts_with("rtph265depay"));
    CHECK(whyNot(stream("video", "JPEG").get()) == "the camera sends \"JPEG\", not H.264 or H.265");
}

TEST_CASE("what a camera calls its coding ends no line of a log and fills no page") {
    CHECK(whyNot(stream("video", "\x1b[2J\nroot: all is well").get()) ==
          "the camera sends \"?[2J?root: all is well\", not H.264 or H.265");
    CHECK(whyNot(stream("video", std::string(5000, 'X').c_str()).get()) ==
          "the camera sends \"" + std::string(40, 'X') + "\", not H.264 or H.265");
}

TEST_CASE("fields may be missing or no text, and caps may be none") {
    startGStreamer();
    const auto bare = adopt(gst_caps_new_empty_simple("application/x-rtp"));
    const auto odd = adopt(gst_caps_new_simple("application/x-rtp", "media", G_TYPE_INT, 1, "encoding-name",
                                               G_TYPE_INT, 2, nullptr));
    const auto none = adopt(gst_caps_new_empty());
    const auto any = adopt(gst_caps_new_any());
    for (const GstCaps* caps :
         {bare.get(), odd.get(), none.get(), any.get(), static_cast<GstCaps*>(nullptr)}) {
        CHECK_FALSE(isVideo(caps));
        CHECK(whyNot(caps) == "the camera does not say how its video is coded");
    }
}
