// Which camera is meant, as a table of what is plugged in; and what sysfs says, on a folder that looks like
// it.
#include "capture/device_finder.hpp"

#include <doctest/doctest.h>

#include <filesystem>
#include <fstream>

#include "capture/source_uri.hpp"
#include "capture/video_class.hpp"
#include "tests/support/temp_folder.hpp"

using namespace edgecam;
using namespace edgecam::capture;
namespace fs = std::filesystem;

namespace {

V4l2Device device(int number, std::string name, std::string bus, std::string serial = {}, int index = 0) {
    V4l2Device made;
    made.path = "/dev/video" + std::to_string(number);
    made.name = std::move(name);
    made.bus = std::move(bus);
    made.serial = std::move(serial);
    made.index = index;
    return made;
}

std::string inWords(const Result<FoundDevice>& found) {
    if (!found) return "error: " + found.error().message;
    return found->path + (found->warning.empty() ? "" : ", " + found->warning);
}

/// The path, and whether there is a warning.
std::string brief(const Result<FoundDevice>& found) {
    if (!found) return "error";
    return found->path + (found->warning.empty() ? "" : " ?");
}

const std::string kZero = "/dev/video0";
const auto kDoor = device(0, "Cam", "usb-1", "D1");
const auto kYard = device(1, "Cam", "usb-2", "Y1");
const auto kPlain = device(0, "Cam", "usb-1");
const auto kTwin = device(1, "Cam", "usb-2");
const auto kOther = device(0, "Else", "usb-1");

/// The same device under another number.
V4l2Device at(int number, V4l2Device moved) {
    moved.path = "/dev/video" + std::to_string(number);
    return moved;
}
/// In another socket.
V4l2Device on(std::string bus, V4l2Device moved) {
    moved.bus = std::move(bus);
    return moved;
}

void write(const fs::path& file, const std::string& text) {
    fs::create_directories(file.parent_path());
    std::ofstream(file) << text;
}

}  // namespace

TEST_CASE("the first time a number is the camera that has it") {
    CHECK(brief(findByNumber(kZero, {}, {kDoor, kYard}, {})) == kZero);
    const auto found = findByNumber(kZero, {}, {kDoor, kYard}, {});
    CHECK(found->identity == DeviceIdentity(kDoor));
    // Opening it says what is wrong.
    CHECK(brief(findByNumber(kZero, {}, {}, {})) == kZero);
    CHECK_FALSE(findByNumber(kZero, {}, {kYard}, {})->identity);
}

TEST_CASE("a camera that was open once is found under another number") {
    struct Case {
        const char* what;
        DeviceIdentity remembered;
        std::vector<V4l2Device> present;
        std::string found;
    };
    const std::vector<Case> cases{
        {"the same number", kDoor, {kDoor, kYard}, "/dev/video0"},
        {"another number", kDoor, {at(2, kDoor), kYard}, "/dev/video2"},
        {"numbers were swapped", kDoor, {at(0, kYard), at(1, kDoor)}, "/dev/video1"},
        {"another socket, by its serial", kDoor, {at(3, on("usb-9", kDoor)), kYard}, "/dev/video3"},
        {"without a serial, by its bus", kPlain, {at(0, kTwin), at(1, kPlain)}, "/dev/video1"},
        {"without a serial in another socket, the only one",
         kPlain,
         {at(2, on("usb-9", kPlain))},
         "/dev/video2"},
        {"one serial for all, by their buses",
         kDoor,
         {at(0, on("usb-7", kDoor)), at(1, kDoor)},
         "/dev/video1"},
        {"its further node is another",
         kPlain,
         {device(0, "Cam", "usb-1", "", 2), at(1, kPlain)},
         "/dev/video1"},
    };
    for (const Case& each : cases) {
        INFO(each.what);
        CHECK(brief(findByNumber(kZero, each.remembered, each.present, {})) == each.found);
    }
}

TEST_CASE("cameras that cannot be told apart go by their numbers, and it is said") {
    // No serial, both in other sockets than before.
    const std::vector<V4l2Device> both{at(0, on("usb-8", kPlain)), at(1, on("usb-9", kPlain))};
    CHECK(inWords(findByNumber(kZero, kPlain, both, {})) ==
          "/dev/video0, it cannot be told from another camera: /dev/video0 (usb-8), /dev/video1 (usb-9) are "
          "alike; /dev/video0 is taken, by its number");
    CHECK(brief(findByNumber("/dev/video1", kTwin, both, {})) == "/dev/video1 ?");
    CHECK(brief(findByNumber("/dev/video5", kPlain, both, {})) == "/dev/video0 ?");
    // Alike even in their bus: known from the first time on.
    CHECK(brief(findByNumber("/dev/video1", {}, {kPlain, at(1, kPlain)}, {})) == "/dev/video1 ?");
    // One that another camera of the config has is none of them.
    CHECK(brief(findByNumber("/dev/video5", kPlain, both, {both[0]})) == "/dev/video1");
}

TEST_CASE("another camera at the number stands in, with a warning, unless it is another's") {
    CHECK(inWords(findByNumber(kZero, kDoor, {kOther}, {})) ==
          "/dev/video0, /dev/video0 is another camera than before: \"Else\" and not \"Cam\"");
    CHECK(inWords(findByNumber(kZero, kDoor, {at(0, kYard)}, {kYard})) ==
          "error: /dev/video0: not plugged in; what has this number now is another camera's");
    CHECK(brief(findByNumber(kZero, {}, {at(0, kYard)}, {kYard})) == "error");
    CHECK(brief(findByNumber(kZero, kDoor, {kYard}, {})) == kZero);  // opening it says that it is not there
}

TEST_CASE("a camera that is named by what it is") {
    const DeviceIdentity bySerial{"", "", "Y1"};
    CHECK(brief(findByIdentity(bySerial, {}, {kDoor, at(4, kYard)})) == "/dev/video4");
    CHECK(inWords(findByIdentity(bySerial, {}, {kDoor})) ==
          "error: no camera that can be opened is v4l2:?serial=Y1: is it plugged in?");
    CHECK(brief(findByIdentity({"Cam", "usb-2", ""}, {}, {kPlain, kTwin})) == "/dev/video1");
    // Of one camera's nodes the first.
    const auto coded = device(1, "Cam", "usb-1", "D1", 2);
    CHECK(brief(findByIdentity({"", "", "D1"}, {}, {coded, at(3, kDoor)})) == "/dev/video3");
    // Several fit.
    CHECK(inWords(findByIdentity({"Cam", "", ""}, {}, {kPlain, kTwin})) ==
          "/dev/video0, 2 cameras are v4l2:?name=Cam: /dev/video0 (usb-1), /dev/video1 (usb-2); the first is "
          "taken, bus= tells them apart");
    CHECK(brief(findByIdentity({"Cam", "", ""}, kTwin, {kPlain, kTwin})) == "/dev/video1 ?");
}

TEST_CASE("a camera's stable URI is found again, and only it") {
    CHECK(stableUri(kDoor, {kDoor, kYard}) == "v4l2:?serial=D1");
    CHECK(stableUri(kTwin, {kPlain, kTwin}) == "v4l2:?bus=usb-2");
    CHECK(stableUri(kPlain, {kPlain, at(1, kPlain)}) == "v4l2:///dev/video0");
    V4l2Device second = device(2, "Cam", "usb-1", "D1", 2);
    CHECK(stableUri(second, {kDoor, second}) == "v4l2:///dev/video2");
    second.byPath = "/dev/v4l/by-path/usb-1-video-index2";
    CHECK(stableUri(second, {kDoor, second}) == "v4l2:///dev/v4l/by-path/usb-1-video-index2");
    // Whatever a device calls itself, the URI says it.
    const auto odd = device(0, "A & B=100% #1?", "", "x&y z");
    for (const std::string& uri : {stableUri(odd, {odd}), identityUri({odd.name, "usb 1+2", ""})}) {
        const auto parsed = parseSourceUri(uri);
        REQUIRE_MESSAGE(parsed, uri);
        CHECK(parsed->shown() == uri);
    }
    CHECK(parseSourceUri(stableUri(odd, {odd}))->device.serial == "x&y z");
}

TEST_CASE("the serial is the nearest USB device's, the index the node's own") {
    const test::TempFolder folder;
    const fs::path root = folder.path();
    const fs::path hub = root / "devices/usb1/1-1";
    const fs::path camera = hub / "1-1.2";
    const fs::path interface = camera / "1-1.2:1.0";
    write(hub / "idVendor", "1d6b\n");
    write(hub / "serial", "hub\n");
    write(camera / "idVendor", "046d\n");
    write(camera / "serial", "8A3\x1b\x46 \n");
    const auto node = [&](const char* name, const fs::path& parent, const std::string& index) {
        write(root / "class" / name / "index", index);
        fs::create_directories(parent);
        fs::create_directory_symlink(parent, root / "class" / name / "device");
        return factsOf(root / "class", name);
    };
    CHECK(node("video0", interface, "0\n").serial == "8A3?F");  // it comes from a stranger
    CHECK(node("video1", interface, "1\n").index == 1);
    // Without a serial of its own it does not get the hub's.
    const fs::path cheap = hub / "1-1.3";
    write(cheap / "idVendor", "1234\n");
    CHECK(node("video2", cheap / "1-1.3:1.0", "0\n").serial.empty());
    CHECK(node("video3", root / "devices/platform/csi", "x\n").serial.empty());
    CHECK(factsOf(root / "class", "video3").index == 0);
    CHECK(factsOf(root / "class", "video9").serial.empty());
    write(camera / "serial", std::string(5000, 'A'));
    CHECK(factsOf(root / "class", "video0").serial.size() <= 256);
}
