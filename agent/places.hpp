// Places: where the program looks for what it was installed with: the config, the page, the model; and where
// it keeps what must outlive it. Installed first, then the source tree it was built from.
#pragma once

#include <string>
#include <vector>

namespace edgecam::agent {

/// `asked`, if not empty; else the one that packages install, where it is; else empty: there is none.
std::string configPath(const std::string& asked);
/// For messages about configPath().
std::string shownConfigPath(const std::string& path);

/// Where a config that names no data_dir keeps what must outlive a restart: the folder that systemd gives the
/// service; else /var/lib/edgecam, for root and who can write to it; else one of the user's own.
std::string usualDataDir();

/// The first folder that holds index.html; `configured` (if not empty) only. Empty: none.
std::string findWebRoot(const std::string& configured);

/// Paths at which the face model may lie, best first; `configured` (if not empty) before all others.
std::vector<std::string> modelPaths(const std::string& configured);

}  // namespace edgecam::agent
