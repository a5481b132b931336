#include "capture/placement.hpp"

#include <doctest/doctest.h>

using namespace edgecam;
using namespace edgecam::capture;

namespace {

StreamRequest taking(std::vector<std::string> codecs, bool encoded = false) {
    return {.form = StreamForm::cmaf, .codecs = std::move(codecs), .wish = {.encoded = encoded}};
}

SourceFacts source(std::optional<Codec> codec, bool known = true) {
    SourceFacts facts;
    facts.known = known;
    facts.codec = codec;
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
