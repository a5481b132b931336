#include "agent/places.hpp"

#include <filesystem>

#include "agent/version.hpp"

namespace edgecam::agent {
namespace {

constexpr const char* kModelFile = "face_detection_yunet_2023mar.onnx";

std::vector<std::string> roots() {
    std::vector<std::string> found{kDataDir};
    if (kSourceDir[0] != '\0') found.emplace_back(kSourceDir);
    return found;
}

}  // namespace

std::string findWebRoot(const std::string& configured) {
    std::vector<std::string> candidates;
    if (configured.empty()) {
        for (const std::string& root : roots()) candidates.push_back(root + "/web");
    } else {
        candidates.push_back(configured);
    }
    for (const std::string& folder : candidates) {
        std::error_code ignored;
        if (std::filesystem::is_regular_file(folder + "/index.html", ignored)) return folder;
    }
    return {};
}

std::vector<std::string> modelPaths(const std::string& configured) {
    std::vector<std::string> paths;
    if (!configured.empty()) paths.push_back(configured);
    for (const std::string& root : roots()) {
        paths.push_back(root + "/models/" + kModelFile);
        paths.push_back(
            (std::filesystem::path(root) / "../shared/models" / kModelFile).lexically_normal().string());
    }
    return paths;
}

}  // namespace edgecam::agent
