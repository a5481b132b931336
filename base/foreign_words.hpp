// ForeignWords: text of another program or a device on its way into a line of ours. Pure.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace edgecam {

/// At most `most` bytes of it; what could end a line or move a cursor, and all beyond ASCII, is a '?'.
std::string harmless(std::string_view words, std::size_t most = 500);

/// The same in quotes, which nothing in it ends.
std::string quoted(std::string_view words, std::size_t most = 200);

}  // namespace edgecam
