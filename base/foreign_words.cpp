#include "base/foreign_words.hpp"

#include <algorithm>

namespace edgecam {

std::string harmless(std::string_view words, std::size_t most) {
    std::string safe(words.substr(0, most));
    std::ranges::replace_if(
        safe, [](char c) { return c < ' ' || c > '~'; }, '?');
    return safe;
}

std::string quoted(std::string_view words, std::size_t most) {
    std::string safe = harmless(words, most);
    std::ranges::replace(safe, '"', '?');
    return '"' + safe + '"';
}

}  // namespace edgecam
