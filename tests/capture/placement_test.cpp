#include "capture/placement.hpp"

#include <doctest/doctest.h>

using namespace edgecam;
using namespace edgecam::capture;

namespace {

StreamRequest taking(std::vector<std::string> codecs, bool encoded = false) {
    return {.form = StreamForm::cmaf, .codecs = std::move(codecs), .wish = {.encoded = encoded}};
}

CameraFacts source(std::optional<Codec> codec, bool known = true) {
    CameraFacts facts;
    facts.main.known = known;
    facts.main.codec = codec;
    return facts;
}

}  // namespace

TEST_CASE("the camera's own coding goes to those who take it") {
    CHECK(placeFor(taking({"avc1"}), source(Codec::h264)) == Place::passthrough);
    CHECK(placeFor(taking({"hvc1", "avc1.64001f"}), source(Codec::h265)) == Place::passthrough);
}

TEST_CASE("who does not take it, or asked for another quality, gets the encode") {
    CHECK(placeFor(taking({"avc1"}), source(Codec::h265)) == Place::encoded);
    CHECK(placeFor(taking({"avc1"}, true), source(Codec::h264)) == Place::encoded);
    CHECK(placeFor(taking({"avc1"}), source(std::nullopt)) == Place::encoded);
}

TEST_CASE("what cannot be made is not promised") {
    CHECK(placeFor(taking({"hvc1"}), source(Codec::h264)) == Place::none);
    CHECK(placeFor(taking({"hvc1"}), source(std::nullopt)) == Place::none);
    CHECK(placeFor(taking({"av01"}), source(Codec::h264)) == Place::none);
}

TEST_CASE("before the first picture an RTSP camera may still turn out to be H.265") {
    CHECK(placeFor(taking({"hvc1"}), source(Codec::h264, false)) == Place::passthrough);
    CHECK(placeFor(taking({"av01"}), source(Codec::h264, false)) == Place::none);
}

TEST_CASE("JPEG is always made") {
    CHECK(placeFor({.form = StreamForm::jpeg, .codecs = {}, .wish = {}}, source(std::nullopt, false)) ==
          Place::jpeg);
}

TEST_CASE("expectations follow the kind of the source") {
    SourceUri uri;
    uri.kind = SourceKind::v4l2;
    CHECK_FALSE(expectedCodec(uri));
    uri.pixelFormat = "H264";
    CHECK(expectedCodec(uri) == Codec::h264);
    uri.kind = SourceKind::rtsp;
    CHECK(expectedCodec(uri) == Codec::h264);
}

namespace {

/// A camera of 1920x1080 whose sub stream gives 640x360 in 300 kbit/s, and has been seen.
CameraFacts cameraWithSub(Size size = {640, 360}, int kbps = 300) {
    return {.main = {.known = true, .codec = Codec::h264, .size = {1920, 1080}, .frameRate = 30},
            .sub = {.standing = SubStream::Standing::live,
                    .facts = {.known = true, .codec = Codec::h264, .size = size, .frameRate = 15},
                    .kbps = kbps}};
}

StreamRequest wishing(int kbps, Size size) {
    StreamRequest request = taking({"avc1"}, true);
    request.wish.settings = {kbps, size, 15};
    request.wish.sub = SubLimits{.kbps = kbps, .size = size};
    return request;
}

}  // namespace

TEST_CASE("a wish for less is served by the sub stream, if that is no more than was wished") {
    const StreamRequest low = wishing(350, {640, 360});
    CHECK(placeFor(low, cameraWithSub()) == Place::sub);
    CHECK(placeFor(low, cameraWithSub({640, 368})) == Place::sub);  // whole blocks
    CHECK(placeFor(low, cameraWithSub({320, 180})) == Place::sub);
    CHECK(placeFor(low, cameraWithSub({960, 540})) == Place::encoded);
    CHECK(placeFor(low, cameraWithSub({240, 136})) == Place::encoded);  // far less than was wished
    CHECK(placeFor(low, cameraWithSub({640, 360}, 351)) == Place::encoded);
    CHECK(placeFor(low, cameraWithSub({640, 360}, 0)) == Place::sub);  // not measured yet
    CHECK(placeFor(wishing(1000, {960, 540}), cameraWithSub()) == Place::sub);
    CHECK(placeFor(wishing(1000, {960, 0}), cameraWithSub()) == Place::sub);
    CHECK(placeFor(wishing(1000, {1920, 0}), cameraWithSub()) == Place::encoded);
    CHECK(placeFor(wishing(1000, {1920, 1080}), cameraWithSub()) == Place::encoded);
    StreamRequest never = low;
    never.wish.sub.reset();
    CHECK(placeFor(never, cameraWithSub()) == Place::encoded);
}

TEST_CASE("who is at the sub stream stays while its bitrate wavers about what was wished") {
    const StreamRequest low = wishing(350, {640, 360});
    CHECK(placeFor(low, cameraWithSub({640, 360}, 430), true) == Place::sub);
    CHECK(placeFor(low, cameraWithSub({640, 360}, 440), true) == Place::encoded);
}

TEST_CASE("a sub stream that is down serves nobody, one that is closed or not yet seen may") {
    const StreamRequest low = wishing(350, {640, 360});
    CameraFacts camera = cameraWithSub();
    camera.sub.standing = SubStream::Standing::away;
    CHECK(placeFor(low, camera) == Place::encoded);
    CHECK(subSuits(low, camera));  // were it there
    camera.sub.standing = SubStream::Standing::absent;
    CHECK(placeFor(low, camera) == Place::encoded);
    CHECK_FALSE(subSuits(low, camera));
    camera.sub = {
        .standing = SubStream::Standing::awaited, .facts = {.codec = Codec::h264, .size = {}}, .kbps = 0};
    CHECK(placeFor(low, camera) == Place::sub);
}

TEST_CASE("the camera's own coding goes before its sub stream, and that before an encode") {
    StreamRequest any = taking({"avc1"});
    any.wish.sub = SubLimits{};
    CameraFacts camera = cameraWithSub();
    CHECK(placeFor(any, camera) == Place::passthrough);
    camera.main.codec = Codec::h265;  // not for this consumer
    CHECK(placeFor(any, camera) == Place::sub);
    camera.sub.facts.codec = Codec::h265;
    CHECK(placeFor(any, camera) == Place::encoded);
    any.codecs = {"hvc1"};
    any.wish.encoded = true;  // the link is too thin for the main stream
    CHECK(placeFor(any, camera) == Place::sub);
}

TEST_CASE("a sub stream of another shape shows another view") {
    CHECK(sameView(cameraWithSub({704, 396})));
    CHECK_FALSE(sameView(cameraWithSub({640, 480})));
    CHECK(placeFor(wishing(350, {640, 360}), cameraWithSub({320, 240})) == Place::encoded);
    CHECK_FALSE(subSuffices({300, {320, 180}, 10}, cameraWithSub({640, 480})));
}

TEST_CASE("an encode is made of the sub stream's pictures where they are large and frequent enough") {
    const CameraFacts camera = cameraWithSub();
    CHECK(subSuffices({300, {640, 360}, 15}, camera));
    CHECK(subSuffices({100, {320, 0}, 5}, camera));
    CHECK_FALSE(subSuffices({300, {640, 360}, 0}, camera));  // all of the main stream's 30
    CHECK_FALSE(subSuffices({1000, {960, 540}, 15}, camera));
    CHECK_FALSE(subSuffices({1000, {}, 15}, camera));
    CHECK_FALSE(subSuffices({300, {640, 360}, 15}, {.main = camera.main, .sub = {}}));
}
