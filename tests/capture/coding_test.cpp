// What a camera's parser says of a stream, and what of a buffer's times is believed.
#include "capture/coding.hpp"

#include <doctest/doctest.h>

#include "capture/gst.hpp"

using namespace edgecam;
using namespace edgecam::capture;
using namespace std::chrono_literals;

namespace {

Result<Coding> codingFrom(const std::string& caps) {
    startGStreamer();
    return codingOf(adopt(gst_caps_from_string(caps.c_str())).get());
}

std::string h264(const std::string& more) {
    return "video/x-h264,codec_data=(buffer)014d401fff," + more;
}

}  // namespace

TEST_CASE("a size that an MP4 file has no room for is refused") {
    CHECK(codingFrom(h264("width=65535,height=16"))->track.size == Size{65535, 16});
    CHECK(codingFrom(h264("width=65536,height=16")).error().message ==
          "the coded size is above 65535 pixels a side");
    CHECK_FALSE(codingFrom(h264("width=640")));
    CHECK_FALSE(codingFrom(h264("width=-640,height=-360")));
}

TEST_CASE("a rate that no camera has is none") {
    const auto rateOf = [](const std::string& rate) {
        return codingFrom(h264("width=640,height=360,framerate=" + rate))->frameRate;
    };
    CHECK(rateOf("30/1") == 30);
    CHECK(rateOf("1/60") == kLeastRate);
    CHECK(rateOf("0/1") == 0);
    CHECK(rateOf("90000/1") == 0);
    // A camera that hangs would not be missed for years.
    CHECK(rateOf("1/2147483647") == 0);
    CHECK(rateOf("-25/1") == 0);
}

TEST_CASE("a time ten years off is none") {
    GstSegment segment;
    gst_segment_init(&segment, GST_FORMAT_TIME);
    CHECK(runningTime(&segment, 40 * GST_MSECOND) == 40ms);
    CHECK(runningTime(&segment, GST_CLOCK_TIME_NONE) == std::nullopt);
    CHECK(runningTime(&segment, GST_CLOCK_TIME_NONE - 1) == std::nullopt);
    segment.start = GST_CLOCK_TIME_NONE - 1;
    CHECK(runningTime(&segment, 0) == std::nullopt);
}
