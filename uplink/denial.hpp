// Denial: why somebody was turned away at the local server, as a fixed set: what /metrics counts, and the
// close code and words that go with it. Knows no socket.
#pragma once

#include <array>
#include <optional>

#include "uplink/peer_session.hpp"

namespace edgecam::uplink {

enum class Denial {
    connections,         ///< all places of peers that are signed in are taken
    addressConnections,  ///< all that one address may have are
    newcomers,           ///< gave its place to one that came later and has not signed in either
    idleSockets,         ///< held a socket and asked for nothing while others came
    authTimeout,
    wrongToken,
    tokenRate,    ///< too many wrong ones from this address: not looked at
    messageSize,  ///< announced, or grown
    messageRate,
    byteRate,     ///< anything on the wire, pings and empty fragments too
    badMessages,  ///< not JSON, not a request, binary: too often
    framing,      ///< not RFC 6455, or text that is not UTF-8
    slowReader,
    foreignHost,
    foreignOrigin,
};
inline constexpr std::size_t kDenialCount = 15;

/// The word of /metrics, e.g. "token_rate".
const char* nameOf(Denial denial);
const std::array<Denial, kDenialCount>& allDenials();

/// How a WebSocket is closed for it. Only for denials that the local server itself decides.
CloseWish closeWishFor(Denial denial);
/// What an end was for; nothing for one that is no denial, e.g. 1001.
std::optional<Denial> denialOf(const CloseWish& wish);

}  // namespace edgecam::uplink
