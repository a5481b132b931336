// Places: where the program looks for what it was installed with: the page, the model. Installed first, then
// the source tree it was built from.
#pragma once

#include <string>
#include <vector>

namespace edgecam::agent {

/// The first folder that holds index.html; `configured` (if not empty) only. Empty: none.
std::string findWebRoot(const std::string& configured);

/// Paths at which the face model may lie, best first; `configured` (if not empty) before all others.
std::vector<std::string> modelPaths(const std::string& configured);

}  // namespace edgecam::agent
