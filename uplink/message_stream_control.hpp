// Reads `stream_control`, the request with the most shapes. Pure.
#pragma once

#include <utility>
#include <variant>
#include <vector>

#include "base/json.hpp"
#include "uplink/access.hpp"
#include "uplink/message_request.hpp"

namespace edgecam::uplink {

/// Ranges of a quality wish: bitrates 50 to 50000 kbit/s, width 64 to 7680 and height 64 to 4320 pixels,
/// framerate 1 to 120 pictures a second. A wrong field is refused by its path, e.g. `quality.width`.
std::variant<RequestBody, Refusal> readStreamControl(const JsonValue& message);

/// Every action and what it is at least.
std::vector<std::pair<const char*, Deed>> controlActions();

}  // namespace edgecam::uplink
