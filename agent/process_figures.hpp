// What this process takes of the machine, as the kernel counts it.
#pragma once

#include "uplink/figures.hpp"

namespace edgecam::agent {

/// Reads /proc/self: tens of microseconds, no disk. What the kernel does not tell stays 0. Any thread.
uplink::ProcessFigures processFigures();

}  // namespace edgecam::agent
