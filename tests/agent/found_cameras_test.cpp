// What a box looks through that was told nothing.
#include "agent/found_cameras.hpp"

#include <doctest/doctest.h>

#include <set>

#include "base/log.hpp"

using namespace edgecam;
using agent::camerasFound;
using capture::V4l2Device;

namespace {

V4l2Device device(int number, const std::string& name, const std::string& bus = {},
                  const std::string& serial = {}) {
    V4l2Device made;
    made.path = concat("/dev/video", number);
    made.name = name;
    made.bus = bus;
    made.serial = serial;
    return made;
}

}  // namespace

TEST_CASE("a camera is called by its card's words and opened by a name that does not change") {
    const auto cameras =
        camerasFound({device(2, "HD Webcam  C270!", "usb-0000:00:14.0-1", "8A3F"),
                      device(4, "mmal service 16.1", "platform:bcm2835-v4l2-0"), device(0, "摄像头")});
    REQUIRE(cameras.size() == 3);
    CHECK(cameras[0].id == "camera");
    CHECK(cameras[0].source.location == "/dev/video0");
    CHECK(cameras[1].id == "mmal-service-16-1");
    CHECK(cameras[1].source.device.bus == "platform:bcm2835-v4l2-0");
    CHECK(cameras[2].id == "hd-webcam-c270");
    CHECK(cameras[2].source.device.serial == "8A3F");
    CHECK(cameras[2].source.location.empty());
    CHECK(cameras[2].enabled);
    CHECK(cameras[2].pictures == agent::usualPictureLimits(capture::SourceKind::v4l2));
}

TEST_CASE("equal cameras have numbers that stay when the kernel's change") {
    const auto first = device(0, "Cam", "usb-1");
    const auto second = device(1, "Cam", "usb-2");
    for (const auto& order : {std::vector{first, second}, std::vector{second, first}}) {
        const auto cameras = camerasFound(order);
        REQUIRE(cameras.size() == 2);
        CHECK(cameras[0].id == "cam");
        CHECK(cameras[0].source.device.bus == "usb-1");
        CHECK(cameras[1].id == "cam-2");
        CHECK(cameras[1].source.device.bus == "usb-2");
    }
}

TEST_CASE("a camera that is plugged in later is one more, and those that are known keep their names") {
    const auto known = camerasFound({device(0, "Cam", "usb-2")});
    REQUIRE(known.size() == 1);
    const auto fresh = camerasFound({device(0, "Cam", "usb-2"), device(1, "Cam", "usb-1")}, known);
    REQUIRE(fresh.size() == 1);
    CHECK(fresh[0].id == "cam-2");
    CHECK(fresh[0].source.device.bus == "usb-1");
    CHECK(camerasFound({device(3, "Cam", "usb-2")}, known).empty());
    CHECK(camerasFound({}, known).empty());
}

TEST_CASE("ids are as a config may have them, however long the card's words and many the cameras are") {
    std::vector<V4l2Device> devices;
    for (int i = 0; i < 100; ++i) devices.push_back(device(i, std::string(200, 'x') + " -"));
    const auto cameras = camerasFound(devices);
    CHECK(cameras.size() == 64);
    std::set<std::string> ids;
    for (const auto& camera : cameras) {
        CHECK(camera.id.size() <= 64);
        ids.insert(camera.id);
    }
    CHECK(ids.size() == cameras.size());
}
