#include "capture/source_uri.hpp"

#include <string_view>

using namespace edgecam;

namespace {

std::size_t countOf(std::string_view text, std::string_view part) {
    std::size_t count = 0;
    for (auto at = text.find(part); at != std::string_view::npos; at = text.find(part, at + 1)) ++count;
    return count;
}

}  // namespace

// Whatever is accepted shows itself without its password.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const auto source = capture::parseSourceUri({reinterpret_cast<const char*>(data), size});
    if (!source) {
        if (source.error().message.empty()) __builtin_trap();
        return 0;
    }
    // The path may hold the same word.
    const std::string& password = source->password;
    const std::string_view whole{reinterpret_cast<const char*>(data), size};
    if (password.size() > 8 && countOf(whole, password) > 0 &&
        countOf(source->shown(), password) >= countOf(whole, password))
        __builtin_trap();
    return 0;
}
