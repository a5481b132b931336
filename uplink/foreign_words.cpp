#include "uplink/foreign_words.hpp"

#include <algorithm>

namespace edgecam::uplink {

std::string quoted(std::string_view words, std::size_t most) {
    std::string safe(words.substr(0, most));
    const auto harmful = [](char c) { return c < ' ' || c > '~' || c == '"'; };  // all beyond ASCII as well
    std::ranges::replace_if(safe, harmful, '?');
    return '"' + safe + '"';
}

}  // namespace edgecam::uplink
