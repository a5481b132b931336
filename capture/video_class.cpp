#include "capture/video_class.hpp"

#include <charconv>
#include <fstream>

#include "base/foreign_words.hpp"

namespace edgecam::capture {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kLongestLine = 256;  // a USB string has at most 126 characters
/// From a node's device up to the USB device: an interface lies between, rarely more.
constexpr int kMostParents = 6;

/// The first line of a file, made safe; a device chose its words. Empty when it cannot be read.
std::string lineOf(const fs::path& file) {
    std::ifstream in(file, std::ios::binary);
    char text[kLongestLine + 1] = {};
    in.getline(text, sizeof text);  // fails at a line that is too long, and keeps what fits
    std::string line = harmless(text);
    line.erase(line.find_last_not_of(' ') + 1);
    return line;
}

std::string serialOf(const fs::path& node) {
    std::error_code failure;
    fs::path device = fs::canonical(node / "device", failure);
    for (int i = 0; !failure && i < kMostParents && device.has_relative_path(); ++i) {
        // The nearest USB device. What lies above it are hubs, whose serial is none of the camera's.
        if (fs::exists(device / "idVendor", failure)) return lineOf(device / "serial");
        device = device.parent_path();
    }
    return {};
}

int indexOf(const fs::path& node) {
    const std::string line = lineOf(node / "index");
    int index = 0;
    const auto [end, failure] = std::from_chars(line.data(), line.data() + line.size(), index);
    return failure == std::errc{} && end == line.data() + line.size() && index >= 0 ? index : 0;
}

}  // namespace

NodeFacts factsOf(const fs::path& videoClass, const std::string& node) {
    return {.serial = serialOf(videoClass / node), .index = indexOf(videoClass / node)};
}

}  // namespace edgecam::capture
