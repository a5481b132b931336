// ForeignWords: text of another program on its way into a line of ours. Pure.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace edgecam::uplink {

/// In quotes, at most `most` bytes of it; what could end a line, move a cursor or end the quotes is a '?'.
std::string quoted(std::string_view words, std::size_t most = 200);

}  // namespace edgecam::uplink
