#include "agent/box_pressure.hpp"

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <limits>

#include "base/log.hpp"

namespace edgecam::agent {
namespace {

namespace fs = std::filesystem;

constexpr int kMostTripPoints = 32;
constexpr double kBelowCritical = 10;
constexpr double kNever = std::numeric_limits<double>::infinity();

std::string firstLine(const std::string& path) {
    std::ifstream file(path);
    std::string line;
    std::getline(file, line);
    return line.substr(0, 64);
}

/// The kernel's millidegrees; what is no temperature counts as none.
std::optional<double> celsius(const std::string& path) {
    std::ifstream file(path);
    long thousandths = 0;
    if (!(file >> thousandths)) return std::nullopt;
    const double degrees = static_cast<double>(thousandths) / 1000;
    return degrees > -100 && degrees < 300 ? std::optional(degrees) : std::nullopt;
}

double tooHotFrom(const std::string& zone) {
    double begins = kNever;
    double critical = kNever;
    for (int i = 0; i < kMostTripPoints; ++i) {
        const std::string point = concat(zone, "/trip_point_", i);
        const std::string kind = firstLine(point + "_type");
        if (kind.empty()) break;
        const auto at = celsius(point + "_temp");
        if (!at || *at <= 0) continue;  // one that is switched off
        if (kind == "passive" || kind == "hot") begins = std::min(begins, *at);
        if (kind == "critical") critical = std::min(critical, *at);
    }
    return begins < kNever ? begins : critical - kBelowCritical;
}

std::string hottest(const std::string& folder) {
    std::string words;
    double most = -kNever;
    std::error_code trouble;
    for (fs::directory_iterator each(folder, trouble), end; !trouble && each != end;
         each.increment(trouble)) {
        const std::string zone = each->path().string();
        if (each->path().filename().string().rfind("thermal_zone", 0) != 0) continue;
        const auto now = celsius(zone + "/temp");
        if (!now || *now < tooHotFrom(zone) || *now <= most) continue;
        most = *now;
        words = concat(firstLine(zone + "/type"), " is at ", std::lround(*now), " °C: the box is too hot");
    }
    return words;
}

/// "some avg10=1.23 avg60=… total=…", in percent: Linux, Documentation/accounting/psi.rst.
std::optional<double> waiting(const std::string& path) {
    std::ifstream file(path);
    std::string some;
    std::string average;
    if (!(file >> some >> average) || some != "some" || average.rfind("avg10=", 0) != 0) return std::nullopt;
    std::istringstream number(average.substr(6));
    number.imbue(std::locale::classic());
    double percent = 0;
    if (!(number >> percent) || !(percent >= 0 && percent <= 100)) return std::nullopt;
    return percent / 100;
}

}  // namespace

std::string PressureFiles::ownCpuPressureFile() {
    std::ifstream file("/proc/self/cgroup");
    for (std::string line; std::getline(file, line);) {
        // cgroups(7): "0::PATH" is the one of version 2. The root has no such file, and the machine's says
        // the same.
        if (line.rfind("0::/", 0) == 0 && line.size() > 4)
            return "/sys/fs/cgroup" + line.substr(3) + "/cpu.pressure";
    }
    return {};
}

BoxPressure readPressure(const PressureFiles& files) {
    BoxPressure box;
    for (const std::string& path : files.cpu) {
        if (path.empty() || box.waiting) continue;
        box.waiting = waiting(path);
    }
    box.hot = hottest(files.thermal);
    return box;
}

}  // namespace edgecam::agent
