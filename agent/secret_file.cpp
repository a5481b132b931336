#include "agent/secret_file.hpp"

#include <sys/stat.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

namespace edgecam::agent {
namespace {

namespace fs = std::filesystem;

constexpr off_t kMostBytes = 64 << 10;
constexpr mode_t kOthers = 077;

fs::path credentialsFolder() {
    const char* folder = std::getenv("CREDENTIALS_DIRECTORY");
    return folder != nullptr ? fs::path(folder) : fs::path();
}

bool isCredential(const fs::path& path) {
    const fs::path folder = credentialsFolder();
    return !folder.empty() && path.parent_path() == folder;
}

std::string trimmed(const std::string& line) {
    constexpr const char* kBlanks = " \t\r\n";
    const auto begin = line.find_first_not_of(kBlanks);
    if (begin == std::string::npos) return {};
    return line.substr(begin, line.find_last_not_of(kBlanks) - begin + 1);
}

}  // namespace

std::string findSecret(const std::string& name, const std::string& folder) {
    if (name.empty() || name.front() == '/') return name;
    const fs::path credential = credentialsFolder() / name;
    std::error_code trouble;
    if (isCredential(credential) && fs::exists(credential, trouble)) return credential.string();
    return (fs::path(folder) / name).lexically_normal().string();
}

Result<std::vector<std::string>> readSecretLines(const std::string& path) {
    struct stat info {};
    if (stat(path.c_str(), &info) != 0 || !S_ISREG(info.st_mode))
        return Error{path + ": there is no such file"};
    if (info.st_size > kMostBytes) return Error{path + ": larger than 64 KB, that is no token"};
    if ((info.st_mode & kOthers) != 0 && !isCredential(path)) {
        return Error{path + ": others may read it; \"chmod 600 " + path + "\" mends that"};
    }
    std::ifstream file(path);
    if (!file) return Error{path + ": cannot be read"};
    std::vector<std::string> lines;
    for (std::string line; std::getline(file, line);) {
        std::string word = trimmed(line);
        if (!word.empty() && word.front() != '#') lines.push_back(std::move(word));
    }
    return lines;
}

FileStamp stampOf(const std::string& path) {
    struct stat info {};
    if (stat(path.c_str(), &info) != 0) return {};
    return {.device = info.st_dev,
            .inode = info.st_ino,
            .size = info.st_size,
            .modifiedNs = info.st_mtim.tv_sec * std::int64_t{1'000'000'000} + info.st_mtim.tv_nsec};
}

}  // namespace edgecam::agent
