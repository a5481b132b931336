// BoxPressure: reads from the kernel how hot the box is and whether the agent's threads wait for a processor.
// It decides nothing.
#pragma once

#include <string>
#include <vector>

#include "agent/analysis_pace.hpp"

namespace edgecam::agent {

/// Where the kernel says so; a test says otherwise.
struct PressureFiles {
    std::string thermal = "/sys/class/thermal";
    /// The agent's own control group first, which a service can read; then the whole machine's.
    std::vector<std::string> cpu = {ownCpuPressureFile(), "/proc/pressure/cpu"};

    /// By /proc/self/cgroup; empty without cgroup v2.
    static std::string ownCpuPressureFile();
};

/// Reads some small files of the kernel: microseconds, on some boards milliseconds a zone. What is missing or
/// not understood is no pressure. A zone is too hot from its first passive or hot trip point on, where the
/// kernel itself begins to slow the box down or asks for it; one that has only a critical trip point 10 °C
/// below, and one without any never (Linux, Documentation/driver-api/thermal/sysfs-api.rst).
BoxPressure readPressure(const PressureFiles& files = {});

}  // namespace edgecam::agent
