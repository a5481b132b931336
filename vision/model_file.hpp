// A model file: its bytes and their SHA-256, by which alone it is trusted. It knows nothing of what is
// inside.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/bytes.hpp"
#include "base/result.hpp"

namespace edgecam::vision {

struct ModelFile {
    ByteBuffer bytes;
    std::string sha256;  ///< lower-case hex
};

/// Reads the whole file, 64 MiB at most; blocks on the disk. Hash and bytes are of the same reading, so a
/// file that is replaced meanwhile can't get past a check.
Result<ModelFile> readModelFile(const std::string& path);

/// The name of the network that our decoder was written for and that has this hash.
std::optional<std::string_view> knownModel(std::string_view sha256);

}  // namespace edgecam::vision
