// What the kernel's files say of heat and of waiting, also those that say nonsense.
#include "agent/box_pressure.hpp"

#include <doctest/doctest.h>

#include <filesystem>
#include <fstream>

#include "base/log.hpp"
#include "tests/support/temp_folder.hpp"

using namespace edgecam;
using agent::PressureFiles;
using agent::readPressure;

namespace {

struct Kernel {
    test::TempFolder folder;
    PressureFiles files{.thermal = folder.path() + "/thermal",
                        .cpu = {folder.path() + "/own", folder.path() + "/all"}};

    void write(const std::string& name, const std::string& text) const {
        const std::filesystem::path path = folder.path() + "/" + name;
        std::filesystem::create_directories(path.parent_path());
        std::ofstream(path) << text << "\n";
    }
    void zone(int number, const std::string& temp) const {
        const std::string at = concat("thermal/thermal_zone", number);
        write(at + "/type", concat("zone-", number));
        write(at + "/temp", temp);
    }
    void trip(int zone, int number, const std::string& kind, const std::string& temp) const {
        const std::string at = concat("thermal/thermal_zone", zone, "/trip_point_", number);
        write(at + "_type", kind);
        write(at + "_temp", temp);
    }
};

}  // namespace

TEST_CASE("a machine that says nothing is under no pressure") {
    const Kernel kernel;
    CHECK_FALSE(readPressure(kernel.files).waiting.has_value());
    CHECK(readPressure(kernel.files).hot.empty());
}

TEST_CASE("a zone is too hot from its first passive or hot trip point on") {
    const Kernel kernel;
    kernel.zone(0, "79900");
    kernel.trip(0, 0, "active", "50000");
    kernel.trip(0, 1, "passive", "80000");
    kernel.trip(0, 2, "critical", "100000");
    CHECK(readPressure(kernel.files).hot.empty());
    kernel.zone(0, "80000");
    CHECK(readPressure(kernel.files).hot == "zone-0 is at 80 °C: the box is too hot");
    kernel.zone(1, "95000");
    kernel.trip(1, 0, "hot", "90000");
    CHECK(readPressure(kernel.files).hot == "zone-1 is at 95 °C: the box is too hot");
}

TEST_CASE("a zone that has only a critical trip point is too hot 10 degrees below, one without any never") {
    const Kernel kernel;
    kernel.zone(0, "94000");
    CHECK(readPressure(kernel.files).hot.empty());
    kernel.trip(0, 0, "critical", "105000");
    CHECK(readPressure(kernel.files).hot.empty());
    kernel.zone(0, "95000");
    CHECK_FALSE(readPressure(kernel.files).hot.empty());
}

TEST_CASE("no temperature, a trip point that is off, a sensor that lies: no heat") {
    for (const char* temp : {"", "warm", "-274000000", "99999999999999999999", "400000"}) {
        const Kernel kernel;
        kernel.zone(0, temp);
        kernel.trip(0, 0, "passive", "80000");
        CAPTURE(temp);
        CHECK(readPressure(kernel.files).hot.empty());
    }
    const Kernel off;
    off.zone(0, "60000");
    off.trip(0, 0, "passive", "0");
    off.trip(0, 1, "passive", "nonsense");
    CHECK(readPressure(off.files).hot.empty());
}

TEST_CASE("waiting is the agent's own where the kernel has it, else the machine's") {
    const Kernel kernel;
    kernel.write("all", "some avg10=12.50 avg60=0.00 avg300=0.00 total=1\nfull avg10=0.00");
    CHECK(readPressure(kernel.files).waiting == doctest::Approx(0.125));
    kernel.write("own", "some avg10=50.00 avg60=0.00 avg300=0.00 total=1");
    CHECK(readPressure(kernel.files).waiting == doctest::Approx(0.5));
}

TEST_CASE("a pressure file of another shape is none") {
    for (const char* text : {"", "some", "full avg10=1.00", "some avg10=", "some avg10=x", "some avg10=-1",
                             "some avg10=101", "some avg10=nan", "some avg60=1.00"}) {
        const Kernel kernel;
        kernel.write("own", text);
        CAPTURE(text);
        CHECK_FALSE(readPressure(kernel.files).waiting.has_value());
    }
}
