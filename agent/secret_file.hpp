// SecretFile: a small file that holds a secret, such as a token or systemd's credential of one. It says where
// the file is, whether others can read it, and whether it changed. Knows no token and no config.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <string>
#include <vector>

#include "base/result.hpp"

namespace edgecam::agent {

/// Where a secret's file is: a relative name in $CREDENTIALS_DIRECTORY (systemd's LoadCredential=) if it is
/// there, else in `folder`.
std::string findSecret(const std::string& name, const std::string& folder);

/// Its lines without blanks around them, empty lines and those that begin with '#' left out. Fails for a file
/// that is absent, larger than 64 KB, or that others than its owner may read (but for $CREDENTIALS_DIRECTORY,
/// which systemd guards): the text says what to do. Blocks on the disk.
Result<std::vector<std::string>> readSecretLines(const std::string& path);

/// Which content a path stood for; not the same after the file was written, replaced, made or removed.
struct FileStamp {
    dev_t device = 0;
    ino_t inode = 0;
    off_t size = -1;  ///< -1: there is none
    std::int64_t modifiedNs = 0;
    bool operator==(const FileStamp&) const = default;
};
FileStamp stampOf(const std::string& path);

}  // namespace edgecam::agent
