// What is believed of the time where the kernel may not be asked.
#include "base/clock.hpp"

#include <doctest/doctest.h>

#include <filesystem>
#include <fstream>

#include "tests/support/temp_folder.hpp"

using namespace edgecam;

TEST_CASE("systemd-timesyncd says by a file that it has found the time, and nothing where it does not run") {
    const test::TempFolder run;
    const std::string folder = run.path() + "/timesync";
    CHECK_FALSE(timesyncdHasSynced(folder).has_value());
    std::filesystem::create_directory(folder);
    CHECK(timesyncdHasSynced(folder) == false);
    std::ofstream(folder + "/synchronized").put('\n');
    CHECK(timesyncdHasSynced(folder) == true);
}
