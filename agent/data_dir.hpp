// DataDir: the folder for what must outlive a restart: the token made at first start, tokens that were
// revoked, cameras that were switched off, what of data plans is used, a config
// from afar. Small files, each replaced as a whole.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/clock.hpp"
#include "base/result.hpp"
#include "uplink/access.hpp"
#include "uplink/data_plan.hpp"

namespace edgecam::agent {

/// Reentrant: a copy may write one of the files while another thread reads or writes others. Blocks on the
/// disk.
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

    /// Of metered uplinks, by name. An entry that makes no sense is left out, a broken file counts as none,
    /// and is said.
    std::map<std::string, uplink::PlanRecord> usedPlans();
    Result<void> rememberPlans(const std::map<std::string, uplink::PlanRecord>& plans);

    /// A config that an administrator has applied and that was confirmed, in place of the operator's file.
    struct RemoteConfig {
        std::string document;        ///< JSON, with its secrets
        std::string replacedDigest;  ///< PlainDocument::digest of the file at that time
        Utc confirmedAt;
        std::string by;  ///< who applied it
    };
    /// Of `data_dir/remote_config.json`. Nothing: there is none, or it is broken, which is said.
    std::optional<RemoteConfig> remoteConfig();
    /// Mode 0600. After a power cut there is the old one or the new one.
    Result<void> rememberRemoteConfig(const RemoteConfig& config);
    /// It holds no more; for whoever wants to look, it is remote_config.old.json from now on.
    void setRemoteConfigAside();

    [[nodiscard]] const std::string& path() const { return path_; }

  private:
    explicit DataDir(std::string path) : path_(std::move(path)) {}
    std::string path_;
};

}  // namespace edgecam::agent
