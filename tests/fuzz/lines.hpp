// What targets share whose input is text, one thing a line.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace edgecam::fuzz {

inline std::string_view textOf(const std::uint8_t* data, std::size_t size) {
    return {reinterpret_cast<const char*>(data), size};
}

/// Takes the next line off; nothing is left when `rest` is empty.
inline std::string_view nextLine(std::string_view& rest) {
    const auto end = rest.find('\n');
    const auto line = rest.substr(0, end);
    rest = end == std::string_view::npos ? std::string_view() : rest.substr(end + 1);
    return line;
}

}  // namespace edgecam::fuzz
