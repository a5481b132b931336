#include <cstdio>
#include <string>

#include "agent/commands.hpp"
#include "agent/libraries.hpp"
#include "agent/version.hpp"

namespace edgecam::agent {

int versionCommand() {
    std::string libraries;
    for (const auto& [name, version] : libraryVersions())
        libraries += (libraries.empty() ? "" : ", ") + name + " " + version;
    std::printf("edgecam %s (%s)\n", kVersion, libraries.c_str());
    return 0;
}

}  // namespace edgecam::agent
