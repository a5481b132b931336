#include "agent/places.hpp"

#include <glib.h>
#include <unistd.h>

#include <filesystem>

#include "agent/version.hpp"

namespace edgecam::agent {
namespace {

constexpr const char* kPackagedConfig = "/etc/edgecam/config.json";
constexpr const char* kServiceDataDir = "/var/lib/edgecam";
constexpr const char* kModelFile = "face_detection_yunet_2023mar.onnx";

std::vector<std::string> roots() {
    std::vector<std::string> found{kDataDir};
    if (kSourceDir[0] != '\0') found.emplace_back(kSourceDir);
    return found;
}

}  // namespace

std::string configPath(const std::string& asked) {
    if (!asked.empty()) return asked;
    std::error_code ignored;
    return std::filesystem::exists(kPackagedConfig, ignored) ? kPackagedConfig : std::string();
}

std::string shownConfigPath(const std::string& path) {
    return path.empty() ? "the built-in config" : path;
}

std::string usualDataDir() {
    // systemd.exec(5): a list with colons, were there several.
    if (const char* given = g_getenv("STATE_DIRECTORY"); given != nullptr && given[0] == '/') {
        const std::string folders = given;
        return folders.substr(0, folders.find(':'));
    }
    if (geteuid() == 0 || access(kServiceDataDir, W_OK) == 0) return kServiceDataDir;
    return std::string(g_get_user_state_dir()) + "/edgecam";
}

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
