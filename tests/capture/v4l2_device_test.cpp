#include "capture/v4l2_device.hpp"

#include <doctest/doctest.h>
#include <linux/videodev2.h>

#include <algorithm>
#include <cerrno>
#include <cmath>
#include <cstring>
#include <filesystem>

using namespace edgecam;
using namespace edgecam::capture;

namespace {

/// A driver: answers the ioctls as the kernel does, from a few settings.
struct Driver {
    std::uint32_t deviceAbilities = V4L2_CAP_VIDEO_CAPTURE;
    std::vector<std::uint32_t> formats{V4L2_PIX_FMT_YUYV};
    std::uint32_t sizeType = V4L2_FRMSIZE_TYPE_DISCRETE;
    std::uint32_t rateType = V4L2_FRMIVAL_TYPE_DISCRETE;
    bool endless = false;                     ///< never says that a list is over
    std::string card = std::string(32, 'x');  ///< fills its field: no null byte at the end

    int operator()(unsigned long request, void* argument) const {
        switch (request) {
            case VIDIOC_QUERYCAP:
                return queryCapability(*static_cast<v4l2_capability*>(argument));
            case VIDIOC_ENUM_FMT:
                return enumerateFormat(*static_cast<v4l2_fmtdesc*>(argument));
            case VIDIOC_ENUM_FRAMESIZES:
                return enumerateSize(*static_cast<v4l2_frmsizeenum*>(argument));
            case VIDIOC_ENUM_FRAMEINTERVALS:
                return enumerateRate(*static_cast<v4l2_frmivalenum*>(argument));
            case VIDIOC_G_INPUT:
                if (input.name[0] == 0) return over();
                *static_cast<int*>(argument) = 2;
                return 0;
            case VIDIOC_ENUMINPUT:
                if (static_cast<v4l2_input*>(argument)->index != 2) return over();
                *static_cast<v4l2_input*>(argument) = input;
                return 0;
            default:
                return over();
        }
    }

    v4l2_input input{};  ///< number 2, in use; without a name the device has none

  private:
    static int over() {
        errno = EINVAL;
        return -1;
    }
    int queryCapability(v4l2_capability& answer) const {
        std::memcpy(answer.card, card.data(), std::min(card.size(), sizeof answer.card));
        std::strcpy(reinterpret_cast<char*>(answer.driver), "made-up");
        std::strcpy(reinterpret_cast<char*>(answer.bus_info), "usb-1");
        answer.capabilities = V4L2_CAP_VIDEO_CAPTURE | V4L2_CAP_META_CAPTURE | V4L2_CAP_DEVICE_CAPS;
        answer.device_caps = deviceAbilities;
        return 0;
    }
    int enumerateFormat(v4l2_fmtdesc& answer) const {
        if (!endless && answer.index >= formats.size()) return over();
        answer.pixelformat = formats[answer.index % formats.size()];
        std::strcpy(reinterpret_cast<char*>(answer.description), "a format");
        return 0;
    }
    int enumerateSize(v4l2_frmsizeenum& answer) const {
        answer.type = sizeType;
        if (sizeType != V4L2_FRMSIZE_TYPE_DISCRETE) {
            answer.stepwise = {32, 2592, 16, 32, 1944, 2};
            return 0;
        }
        if (!endless && answer.index >= 2) return over();
        answer.discrete = {640 * (answer.index + 1), 360 * (answer.index + 1)};
        return 0;
    }
    int enumerateRate(v4l2_frmivalenum& answer) const {
        answer.type = rateType;
        if (rateType != V4L2_FRMIVAL_TYPE_DISCRETE) {
            answer.stepwise = {{1, 60}, {1, 5}, {1, 60}};
            return 0;
        }
        if (!endless && answer.index >= 3) return over();
        answer.discrete = answer.index == 2 ? v4l2_fract{1, 0} : v4l2_fract{1, 15 * (answer.index + 1)};
        return 0;
    }
};

using Rates = std::vector<double>;

V4l2Device camera(std::vector<V4l2Format> formats) {
    V4l2Device device;
    device.path = "/dev/video7";
    device.formats = std::move(formats);
    return device;
}

V4l2Format format(std::string fourcc, std::vector<V4l2Size> sizes) {
    return {std::move(fourcc), "", std::move(sizes)};
}

std::string chosen(const V4l2Device& device, const V4l2Wish& wish = {}) {
    const auto choice = chooseFormat(device, wish);
    if (!choice) return choice.error().message;
    return choice->fourcc + " " + std::to_string(choice->size.width) + "x" +
           std::to_string(choice->size.height) + "@" + std::to_string(std::lround(choice->frameRate));
}

/// A webcam on USB 2: raw pictures are slow where they are big.
const V4l2Device kWebcam =
    camera({format("YUYV", {{{640, 480}, {30, 15}}, {{1280, 720}, {10, 5}}, {{1920, 1080}, {5}}}),
            format("MJPG", {{{640, 480}, {30}}, {{1280, 720}, {60, 30, 15}}, {{1920, 1080}, {30}}})});

}  // namespace

TEST_CASE("A machine without cameras has an empty list of devices") {
    const auto devices = listDevices();
    REQUIRE(devices);
    if (!std::filesystem::exists("/dev/video0")) CHECK(devices->empty());
}

TEST_CASE("A device is described by its driver's answers") {
    const auto device = describeDevice("/dev/video3", Driver{});
    REQUIRE(device);
    CHECK(device->path == "/dev/video3");
    CHECK(device->name == std::string(32, 'x'));
    CHECK(device->driver == "made-up");
    CHECK(device->bus == "usb-1");
    REQUIRE(device->formats.size() == 1);
    CHECK(device->formats[0].fourcc == "YUYV");
    CHECK(device->formats[0].description == "a format");
    REQUIRE(device->formats[0].sizes.size() == 2);
    CHECK(device->formats[0].sizes[1].size == Size{1280, 720});
    CHECK(device->formats[0].sizes[1].rates == Rates{30, 15});  // an interval of 1/0 is no rate
}

TEST_CASE("A short fourcc loses its spaces") {
    Driver driver;
    driver.formats = {V4L2_PIX_FMT_Y16};
    CHECK(describeDevice("x", driver)->formats[0].fourcc == "Y16");
}

TEST_CASE("What a device calls itself moves no cursor and is fit for JSON") {
    Driver driver;
    driver.formats = {v4l2_fourcc(0x1b, '[', 'A', '\n')};
    driver.card = "\x1b[2JCam\xc3\xa9ra";
    const auto device = describeDevice("/dev/video3", driver);
    REQUIRE(device);
    CHECK(device->name == "?[2JCam??ra");
    CHECK(device->formats[0].fourcc == "?[A?");
    CHECK(chosen(*device) == "/dev/video3: offers only ?[A?, not a format that can be decoded");
}

TEST_CASE("What is wrong with the input in use is told in words") {
    Driver driver;
    CHECK(inputTrouble(driver).empty());
    std::strcpy(reinterpret_cast<char*>(driver.input.name), "HDMI\x1b");
    CHECK(inputTrouble(driver).empty());
    driver.input.status = V4L2_IN_ST_NO_SYNC;
    CHECK(inputTrouble(driver) == "a signal that it cannot lock on to at its input \"HDMI?\"");
    driver.input.status |= V4L2_IN_ST_NO_SIGNAL;
    CHECK(inputTrouble(driver) == "no signal at its input \"HDMI?\"");
    driver.input.status |= V4L2_IN_ST_NO_POWER;
    CHECK(inputTrouble(driver) == "no power at its input \"HDMI?\"");
    driver.input.status = V4L2_IN_ST_HFLIP;
    CHECK(inputTrouble(driver).empty());
}

TEST_CASE("A metadata node of a camera is no capture device") {
    Driver driver;
    driver.deviceAbilities = V4L2_CAP_META_CAPTURE;
    CHECK(describeDevice("/dev/video1", driver).error().message == "/dev/video1: does not capture video");
}

TEST_CASE("A node that does not answer says why") {
    const auto device = describeDevice("/dev/video1", [](unsigned long, void*) {
        errno = ENODEV;
        return -1;
    });
    CHECK(device.error().message == "/dev/video1: not a video device (No such device)");
}

TEST_CASE("Ranges become the usual sizes and rates inside them, and the largest size") {
    for (const std::uint32_t type : {V4L2_FRMSIZE_TYPE_STEPWISE, V4L2_FRMSIZE_TYPE_CONTINUOUS}) {
        Driver driver;
        driver.sizeType = type;
        driver.rateType =
            type == V4L2_FRMSIZE_TYPE_STEPWISE ? V4L2_FRMIVAL_TYPE_STEPWISE : V4L2_FRMIVAL_TYPE_CONTINUOUS;
        const auto device = describeDevice("x", driver);
        REQUIRE(device);
        const auto& sizes = device->formats[0].sizes;
        const auto offers = [&](Size size) {
            return std::any_of(sizes.begin(), sizes.end(),
                               [&](const V4l2Size& entry) { return entry.size == size; });
        };
        CHECK(offers({1280, 720}));
        CHECK(offers({640, 480}));
        CHECK(offers({2592, 1944}));
        CHECK_FALSE(offers({3840, 2160}));
        CHECK(sizes[0].rates == Rates{60, 50, 30, 25, 20, 15, 10, 5});
    }
}

TEST_CASE("A driver whose lists never end is cut off") {
    Driver driver;
    driver.endless = true;
    const auto device = describeDevice("x", driver);
    REQUIRE(device);
    CHECK(device->formats.size() == 64);
    CHECK(device->formats[0].sizes.size() == 64);
    CHECK(device->formats[0].sizes[0].rates.size() <= 32);
}

TEST_CASE("Without a wish 720p at 30 pictures a second is taken, as MJPEG where raw is too slow") {
    CHECK(chosen(kWebcam) == "MJPG 1280x720@30");
}

TEST_CASE("The nearest size below the wanted one is taken, else the smallest") {
    CHECK(chosen(kWebcam, {{1920, 1080}, 0, ""}) == "MJPG 1920x1080@30");
    CHECK(chosen(kWebcam, {{1600, 900}, 0, ""}) == "MJPG 1280x720@30");
    CHECK(chosen(kWebcam, {{320, 240}, 0, ""}) == "YUYV 640x480@30");
}

TEST_CASE("The slowest rate that is enough is taken, else the fastest") {
    CHECK(chosen(kWebcam, {{1280, 720}, 50, ""}) == "MJPG 1280x720@60");
    CHECK(chosen(kWebcam, {{1280, 720}, 120, ""}) == "MJPG 1280x720@60");
    CHECK(chosen(kWebcam, {{640, 480}, 15, ""}) == "YUYV 640x480@15");
    CHECK(chosen(camera({format("YUYV", {{{1280, 720}, {29.97, 60}}})})) == "YUYV 1280x720@30");
}

TEST_CASE("A size that no camera has is counted as large as it is") {
    CHECK(chosen(camera({format("MJPG", {{{60'000, 60'000}, {30}}, {{640, 480}, {30}}})})) ==
          "MJPG 640x480@30");
    CHECK(chosen(camera({format("MJPG", {{{2'147'483'647, 2'147'483'647}, {30}},
                                         {{60'000, 60'000}, {30}}})})) == "MJPG 60000x60000@30");
}

TEST_CASE("A default that picks 4K at two pictures a second is avoided, and so is a slow 720p") {
    const V4l2Device device =
        camera({format("YUYV", {{{3840, 2160}, {2}}, {{1280, 720}, {5}}, {{640, 360}, {30}}})});
    CHECK(chosen(device) == "YUYV 640x360@30");
    CHECK(chosen(device, {{1280, 720}, 5, ""}) == "YUYV 1280x720@5");
}

TEST_CASE("The camera's own H.264 is preferred, then what suits the size") {
    const Rates rates{30};
    const V4l2Device device = camera({format("NV12", {{{640, 480}, rates}, {{1280, 720}, rates}}),
                                      format("MJPG", {{{640, 480}, rates}, {{1280, 720}, rates}}),
                                      format("H264", {{{1280, 720}, rates}})});
    CHECK(chosen(device) == "H264 1280x720@30");
    CHECK(chosen(device, {{640, 480}, 0, ""}) == "NV12 640x480@30");
    CHECK(chosen(device, {{}, 0, "MJPG"}) == "MJPG 1280x720@30");
    CHECK(chosen(device, {{}, 0, "NV12"}) == "NV12 1280x720@30");
}

TEST_CASE("A format that only was wished for is taken even if nothing here would choose it") {
    CHECK(chosen(camera({format("BA81", {{{640, 480}, {30}}})}), {{}, 0, "BA81"}) == "BA81 640x480@30");
}

TEST_CASE("A driver that does not tell its rates is left to choose") {
    CHECK(chosen(camera({format("YUYV", {{{1280, 720}, {}}})})) == "YUYV 1280x720@0");
}

TEST_CASE("A device with nothing that fits says what it has") {
    CHECK(chosen(kWebcam, {{}, 0, "H264"}) == "/dev/video7: offers only YUYV, MJPG, not H264");
    CHECK(chosen(camera({format("BA81", {{{640, 480}, {30}}})})) ==
          "/dev/video7: offers only BA81, not a format that can be decoded");
    CHECK(chosen(camera({})) == "/dev/video7: offers no picture format");
}
