// DataDir: the folder for what must outlive a restart: the token made at first start, tokens that were
// revoked, cameras that were switched off. Small files, each replaced as a whole.
#pragma once

#include <set>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "uplink/access.hpp"

namespace edgecam::agent {

/// Thread-bound (main). Blocks on the disk.
class DataDir {
  public:
    /// Makes the folder (mode 0700) where it is absent.
    static Result<DataDir> open(const std::string& path);

    /// The token of `data_dir/token`; made from 32 random bytes, mode 0600, when there is none.
    Result<std::string> ownToken();
    /// Makes another one in its place; the old one is gone.
    Result<std::string> replaceOwnToken();

    /// Tokens that were taken away while they would still hold, as hashes. A broken file counts as none, and
    /// is said.
    std::vector<uplink::Revocation> revokedTokens();
    Result<void> rememberRevoked(const std::vector<uplink::Revocation>& revoked);

    /// Cameras that were switched off while running, by id. A broken file counts as none, and is said.
    std::set<std::string> disabledCameras();
    Result<void> rememberDisabled(const std::set<std::string>& cameraIds);

    [[nodiscard]] const std::string& path() const { return path_; }

  private:
    explicit DataDir(std::string path) : path_(std::move(path)) {}
    std::string path_;
};

}  // namespace edgecam::agent
