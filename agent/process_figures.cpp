#include "agent/process_figures.hpp"

#include <sys/resource.h>

#include <filesystem>
#include <fstream>
#include <string>
#include <system_error>

namespace edgecam::agent {
namespace {

double secondsOf(const timeval& time) {
    return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
}

std::uint64_t openDescriptors() {
    std::error_code trouble;
    std::uint64_t count = 0;
    for (std::filesystem::directory_iterator each("/proc/self/fd", trouble), end; !trouble && each != end;
         each.increment(trouble)) {
        ++count;
    }
    return count > 0 ? count - 1 : 0;  // without the folder's own
}

}  // namespace

uplink::ProcessFigures processFigures() {
    uplink::ProcessFigures figures;
    // proc(5): "NAME:   VALUE [kB]", a line each.
    std::ifstream status("/proc/self/status");
    std::string name;
    while (status >> name) {
        std::uint64_t* into = name == "VmRSS:"     ? &figures.residentBytes
                              : name == "RssAnon:" ? &figures.anonymousBytes
                              : name == "Threads:" ? &figures.threads
                                                   : nullptr;
        if (into != nullptr && status >> *into && into != &figures.threads) *into *= 1024;
        status.ignore(4096, '\n');
    }
    rusage usage{};
    if (getrusage(RUSAGE_SELF, &usage) == 0) {
        figures.cpuSeconds = secondsOf(usage.ru_utime) + secondsOf(usage.ru_stime);
    }
    figures.descriptors = openDescriptors();
    return figures;
}

}  // namespace edgecam::agent
