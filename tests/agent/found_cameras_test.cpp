// What a box looks through that was told nothing.
#include "agent/found_cameras.hpp"

#include <doctest/doctest.h>

#include <set>

#include "base/log.hpp"

using namespace edgecam;
using agent::camerasFound;
using capture::V4l2Device;

namespace {

V4l2Device device(int number, const std::string& name, const std::string& byId = {},
                  const std::string& byPath = {}) {
    return {.path = concat("/dev/video", number), .byId = byId, .byPath = byPath, .name = name};
}

}  // namespace

TEST_CASE("a camera is called by its card's words and opened by a name that does not change") {
    const auto cameras = camerasFound(
        {device(2, "HD Webcam  C270!", "/dev/v4l/by-id/usb-046d_HD_Webcam_C270-index0",
                "/dev/v4l/by-path/pci-0-index0"),
         device(4, "mmal service 16.1", "", "/dev/v4l/by-path/platform-soc-index0"), device(0, "摄像头")});
    REQUIRE(cameras.size() == 3);
    CHECK(cameras[0].id == "hd-webcam-c270");
    CHECK(cameras[0].source.shown() == "/dev/v4l/by-id/usb-046d_HD_Webcam_C270-index0");
    CHECK(cameras[1].id == "mmal-service-16-1");
    CHECK(cameras[1].source.shown() == "/dev/v4l/by-path/platform-soc-index0");
    CHECK(cameras[2].id == "camera");
    CHECK(cameras[2].source.shown() == "/dev/video0");
    CHECK(cameras[1].enabled);
}

TEST_CASE("equal cameras have numbers that stay when the kernel's change") {
    const auto first = device(0, "Cam", "", "/dev/v4l/by-path/usb-1");
    const auto second = device(1, "Cam", "", "/dev/v4l/by-path/usb-2");
    for (const auto& order : {std::vector{first, second}, std::vector{second, first}}) {
        const auto cameras = camerasFound(order);
        REQUIRE(cameras.size() == 2);
        CHECK(cameras[0].id == "cam");
        CHECK(cameras[0].source.location == "/dev/v4l/by-path/usb-1");
        CHECK(cameras[1].id == "cam-2");
        CHECK(cameras[1].source.location == "/dev/v4l/by-path/usb-2");
    }
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
