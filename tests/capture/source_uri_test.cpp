#include "capture/source_uri.hpp"

#include <doctest/doctest.h>

#include <vector>

using namespace edgecam;
using namespace edgecam::capture;

namespace {

SourceUri parsed(std::string_view text) {
    const auto source = parseSourceUri(text);
    INFO(std::string(text));
    INFO((source ? std::string() : source.error().message));
    REQUIRE(source);
    return *source;
}

std::string errorOf(std::string_view text) {
    const auto source = parseSourceUri(text);
    return source ? "accepted: " + source->location : source.error().message;
}

bool has(const std::string& text, std::string_view part) {
    return text.find(part) != std::string::npos;
}

}  // namespace

TEST_CASE("A device is named by its node, with wishes in the query") {
    const SourceUri plain = parsed("v4l2:///dev/video0");
    CHECK(plain.kind == SourceKind::v4l2);
    CHECK(plain.location == "/dev/video0");
    CHECK(plain.size.empty());
    CHECK(plain.frameRate == 0);
    CHECK(plain.shown() == "/dev/video0");

    const SourceUri wish =
        parsed("v4l2:///dev/v4l/by-id/usb-A%20B-index0?width=1280&height=720&fps=29.97&format=MJPG");
    CHECK(wish.location == "/dev/v4l/by-id/usb-A B-index0");
    CHECK(wish.size == Size{1280, 720});
    CHECK(wish.frameRate == doctest::Approx(29.97));
    CHECK(wish.pixelFormat == "MJPG");
}

TEST_CASE("A device may be named by what it is") {
    const SourceUri serial = parsed("v4l2:?serial=8A3F&width=640&height=360");
    CHECK(serial.kind == SourceKind::v4l2);
    CHECK(serial.location.empty());
    CHECK(serial.device == DeviceIdentity{"", "", "8A3F"});
    CHECK(serial.size == Size{640, 360});
    CHECK(serial.shown() == "v4l2:?serial=8A3F");
    const SourceUri both = parsed("v4l2:?name=HD%20Cam%20%26c&bus=usb-0000:00:14.0-1");
    CHECK(both.device == DeviceIdentity{"HD Cam &c", "usb-0000:00:14.0-1", ""});
    CHECK(both.shown() == "v4l2:?name=HD%20Cam%20%26c&bus=usb-0000:00:14.0-1");

    CHECK(errorOf("v4l2:///dev/video0?serial=8A3F") ==
          "serial, name and bus stand in place of a path: v4l2:?serial=8A3F");
    CHECK(errorOf("v4l2:?width=640&height=360") ==
          "the device must lie in /dev, e.g. v4l2:///dev/video0, or be named: v4l2:?serial=8A3F");
    for (const char* value : {"", "%1b", "%C3%A9"}) {
        CHECK(errorOf(std::string("v4l2:?serial=") + value) ==
              "serial: must be 1 to 128 printable ASCII characters");
    }
    CHECK(has(errorOf("v4l2:?name=" + std::string(129, 'a')), "name: must be"));
    CHECK(has(errorOf("test://bars?serial=1"), "unknown option"));
}

TEST_CASE("An RTSP source keeps its URL without the credentials") {
    const SourceUri source =
        parsed("rtsp://admin:p%40ss%3Aw%2Frd@cam.local:8554/Streaming/101?channel=1&subtype=0");
    CHECK(source.kind == SourceKind::rtsp);
    CHECK(source.user == "admin");
    CHECK(source.password == "p@ss:w/rd");
    CHECK(source.location == "rtsp://cam.local:8554/Streaming/101?channel=1&subtype=0");
    CHECK(source.transport == RtspTransport::tcp);
    CHECK(source.size.empty());
}

TEST_CASE("An RTSP source may lack credentials, port and path") {
    CHECK(parsed("rtsp://10.0.0.7").location == "rtsp://10.0.0.7");
    CHECK(parsed("rtsp://10.0.0.7/").user == "");
    CHECK(parsed("RTSP://[fe80::1]:554/live").location == "rtsp://[fe80::1]:554/live");
    CHECK(parsed("rtsp://guest@host/live").user == "guest");
    CHECK(parsed("rtsp://guest@host/live").password == "");
}

TEST_CASE("What a camera makes of its path and query is left to it") {
    const std::string odd = "rtsp://host/cam/realmonitor%20x?a=%26b&width=12&width=13&&x";
    CHECK(parsed(odd).location == odd);
}

TEST_CASE("rtspu means UDP") {
    const SourceUri source = parsed("rtspu://u:p@host:554/live");
    CHECK(source.transport == RtspTransport::udp);
    CHECK(source.location == "rtsp://host:554/live");
}

TEST_CASE("A file is an absolute or a relative path") {
    CHECK(parsed("file:///srv/my%20clip%23.mp4").location == "/srv/my clip#.mp4");
    CHECK(parsed("file:///srv/my clip.mp4").location == "/srv/my clip.mp4");
    CHECK(parsed("file://localhost/srv/a.mp4").location == "/srv/a.mp4");
    CHECK(parsed("file:clips/a.mp4").location == "clips/a.mp4");
    CHECK(parsed("file:///a.mp4").shown() == "/a.mp4");
}

TEST_CASE("A test source is a pattern") {
    CHECK(parsed("test://faces").pattern == TestPattern::faces);
    CHECK(parsed("test://bars/").pattern == TestPattern::bars);
    CHECK(parsed("test://noise").shown() == "test://noise");
    const SourceUri source = parsed("test://faces?width=640&height=360&fps=10");
    CHECK(source.size == Size{640, 360});
    CHECK(source.frameRate == 10);
}

TEST_CASE("The password is never shown, wherever it stands") {
    for (const char* text : {"rtsp://admin:hunter2@host/live", "rtsp://host/live?user=admin&password=hunter2",
                             "rtsp://host:554/user=admin&password=hunter2&channel=1.sdp"}) {
        CAPTURE(std::string(text));
        const std::string shown = parsed(text).shown();
        CHECK(has(shown, "rtsp://host"));
        CHECK_FALSE(has(shown, "hunter2"));
    }
}

TEST_CASE("No error quotes what may be a password") {
    for (const char* text :
         {"rtsp://admin:hunter2/x@host/live", "rtsp://admin:12/hunter2@host/live",
          "rtsp://admin:12?hunter2@host/live", "rtsp://admin:hunter2#x@host/live",
          "rtsp://admin:hunter2%zz@host/live", "rtsp://admin:hunter2@host:port/live",
          "rtsp://admin:hunter2@/live", "rtsp://admin:hunter2@ho st/live", "rtsp://:hunter2@host/live",
          "rtsp://admin:hunter2@host:99999/", "rtsp://admin:hunter2@host:0/", "http://admin:hunter2@host/",
          "rtsp://admin:hunter2@[fe80::1/live", "rtsp://admin:hunter2%00@host/",
          "rtsp://admin:hunter2\n@host/"}) {
        CAPTURE(std::string(text));
        const std::string error = errorOf(text);
        CHECK_FALSE(has(error, "accepted"));
        CHECK_FALSE(has(error, "hunter2"));
    }
}

TEST_CASE("A bad source is refused with the part that is wrong") {
    const std::vector<std::pair<const char*, const char*>> cases{
        {"", "empty"},
        {"/dev/video0", "no scheme"},
        {"clip.mp4", "no scheme"},
        {"://x", "no scheme"},
        {"http://host/x", "unknown scheme \"http\""},
        {"rtsps://host/x", "unknown scheme \"rtsps\""},
        {"v4l2://dev/video0", "three slashes"},
        {"v4l2:///etc/passwd", "/dev"},
        {"v4l2:///dev/", "/dev"},
        {"v4l2:///dev/video0#1", "'#'"},
        {"v4l2:///dev/video%zz", "path"},
        {"v4l2:///dev/video0?width=1280", "width and height go together"},
        {"v4l2:///dev/video0?width=abc&height=720", "width: must be a whole number"},
        {"v4l2:///dev/video0?width=-1&height=720", "width: must be"},
        {"v4l2:///dev/video0?width=1280&height=99999999999", "height: must be"},
        {"v4l2:///dev/video0?width=1280.5&height=720", "width: must be"},
        {"v4l2:///dev/video0?width=1280&height=720&width=640", "width: given twice"},
        {"v4l2:///dev/video0?fps=0", "fps: must be"},
        {"v4l2:///dev/video0?fps=nan", "fps: must be"},
        {"v4l2:///dev/video0?fps=inf", "fps: must be"},
        {"v4l2:///dev/video0?fps=30fps", "fps: must be"},
        {"v4l2:///dev/video0?fps=", "fps: must be"},
        {"v4l2:///dev/video0?format=jpeg", "format: must be a fourcc"},
        {"v4l2:///dev/video0?framerate=30", "unknown option \"framerate\""},
        {"v4l2:///dev/video0?fps", "name=value"},
        {"v4l2:///dev/video0?fps=%zz", "query"},
        {"v4l2://user@/dev/video0", "only rtsp"},
        {"test://", "pattern"},
        {"test://dogs", "pattern"},
        {"test://faces/x", "between"},
        {"test://faces:80", "only rtsp"},
        {"test://faces?width=318&height=180", "width: must be a whole number from 320"},
        {"test://faces?width=641&height=360", "even"},
        {"test://faces?format=MJPG", "unknown option \"format\""},
        {"file://clips/a.mp4", "file:relative"},
        {"file:///a.mp4?loop=1", "%3F"},
        {"file:///a.mp4#x", "%23"},
        {"file:///", "name is missing"},
        {"file:", "name is missing"},
        {"file:///a%00.mp4", "null byte"},
        {"rtsp:///path", "host is missing"},
        {"rtsp://", "host is missing"},
        {"rtsp://host:port/x", "port"},
        {"rtsp://host:70000/x", "port"},
        {"rtsp://host:0/x", "port"},
        {"rtsp://host/a#b", "%23"},
        {"rtsp://host/a@b", "%40"},
        {"rtsp://host/a\tb", "control character"},
        {"rtsp://[::1/x", "host"},
    };
    for (const auto& [source, part] : cases) {
        const std::string text = source;
        CAPTURE(text);
        const std::string error = errorOf(text);
        CAPTURE(error);
        CHECK_FALSE(error.starts_with("accepted"));
        CHECK(has(error, part));
    }
}
