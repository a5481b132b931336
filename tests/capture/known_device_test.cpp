// What sources know of their devices while these come, go and change their numbers. Each case has numbers of
// its own, since what is known of one outlives its camera.
#include "capture/known_device.hpp"

#include <doctest/doctest.h>

#include <memory>

using namespace edgecam;
using namespace edgecam::capture;

namespace {

V4l2Device device(int number, std::string bus, std::string name = "Cam") {
    V4l2Device made;
    made.path = "/dev/video" + std::to_string(number);
    made.name = std::move(name);
    made.bus = std::move(bus);
    return made;
}

/// A machine with sockets.
struct Machine {
    std::vector<V4l2Device> present;

    std::unique_ptr<KnownDevice> camera(const std::string& uri) {
        return std::make_unique<KnownDevice>(*parseSourceUri(uri), [this] { return present; });
    }
};

std::string findBy(KnownDevice& known) {
    const auto path = known.find();
    return path ? *path : "error: " + path.error().message;
}

}  // namespace

TEST_CASE("two equal cameras keep apart while they go, come back and change their numbers") {
    Machine machine{{device(0, "usb-1"), device(1, "usb-2")}};
    const auto door = machine.camera("v4l2:///dev/video0");
    const auto yard = machine.camera("v4l2:///dev/video1");
    CHECK(findBy(*door) == "/dev/video0");
    CHECK(findBy(*yard) == "/dev/video1");
    machine.present.clear();
    for (int tries = 0; tries < 3; ++tries) {
        CHECK(findBy(*door) == "/dev/video0");  // opening it says that it is not there
        CHECK(findBy(*yard) == "/dev/video1");
    }
    // The yard's comes back first, and has the door's number.
    machine.present = {device(0, "usb-2")};
    CHECK(findBy(*door) ==
          "error: /dev/video0: not plugged in; what has this number now is another camera's");
    CHECK(findBy(*yard) == "/dev/video0");
    machine.present.push_back(device(1, "usb-1"));
    CHECK(findBy(*door) == "/dev/video1");
    CHECK(door->path() == "/dev/video1");
    CHECK(door->warning().empty());
}

TEST_CASE("a camera that only stands in is not taken for the one that was meant when that comes back") {
    Machine machine{{device(20, "usb-1")}};
    const auto door = machine.camera("v4l2:///dev/video20");
    CHECK(findBy(*door) == "/dev/video20");
    machine.present = {device(20, "usb-1", "Else")};
    CHECK(findBy(*door) == "/dev/video20");
    CHECK(door->warning() == "/dev/video20 is another camera than before: \"Else\" and not \"Cam\"");
    machine.present.push_back(device(25, "usb-1"));
    CHECK(findBy(*door) == "/dev/video25");
    CHECK(door->warning().empty());
    // Moved to another socket it is the same, and from then on known by that.
    machine.present = {device(27, "usb-3")};
    CHECK(findBy(*door) == "/dev/video27");
    machine.present = {device(20, "usb-4"), device(21, "usb-3")};
    CHECK(findBy(*door) == "/dev/video21");
}

TEST_CASE("a camera that is configured anew is still the one it was") {
    Machine machine{{device(40, "usb-1")}};
    CHECK(findBy(*machine.camera("v4l2:///dev/video40?fps=10")) == "/dev/video40");
    machine.present = {device(40, "usb-2"), device(41, "usb-1")};
    CHECK(findBy(*machine.camera("v4l2:///dev/video40?fps=15")) == "/dev/video41");
    CHECK(findBy(*machine.camera("v4l2:?bus=usb-2")) == "/dev/video40");
}

TEST_CASE("a camera of the config that is gone leaves its device to others") {
    Machine machine{{device(30, "usb-1")}};
    auto door = machine.camera("v4l2:?bus=usb-1");
    const auto any = machine.camera("v4l2:///dev/video30");
    CHECK(findBy(*door) == "/dev/video30");
    CHECK(findBy(*any).starts_with("error: /dev/video30: not plugged in"));
    door.reset();
    CHECK(findBy(*any) == "/dev/video30");
}

TEST_CASE("a link is opened as it is, and its input's trouble names it") {
    Machine machine;
    const auto link = machine.camera("v4l2:///dev/v4l/by-id/usb-Cam");
    CHECK(link->inputTrouble().empty());
    CHECK(findBy(*link) == "/dev/v4l/by-id/usb-Cam");
    link->setInputTrouble("no signal");
    CHECK(link->inputTrouble() == "/dev/v4l/by-id/usb-Cam: no signal");
    CHECK(findBy(*link) == "/dev/v4l/by-id/usb-Cam");
    CHECK(link->inputTrouble().empty());  // it is asked again
    const auto absent = machine.camera("v4l2:?serial=8A3F");
    CHECK(absent->path() == "v4l2:?serial=8A3F");
    CHECK(findBy(*absent) == "error: no camera that can be opened is v4l2:?serial=8A3F: is it plugged in?");
}
