// The libraries that this program runs with.
#pragma once

#include <string>
#include <utility>
#include <vector>

namespace edgecam::agent {

/// Name and version; those that crash, leak or do not know a codec first.
std::vector<std::pair<std::string, std::string>> libraryVersions();

}  // namespace edgecam::agent
