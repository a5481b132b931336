// CloseWish: how a WebSocket should end, as the peer is told. Only a value.
#pragma once

#include <cstdint>
#include <string>

namespace edgecam::uplink {

/// Code 1006 means: drop the TCP connection without a close frame.
struct CloseWish {
    std::uint16_t code = 1000;
    std::string reason;
};

}  // namespace edgecam::uplink
