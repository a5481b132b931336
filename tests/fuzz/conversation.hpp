// A peer that says one message a line to a session, and whether what it hears is well formed.
#pragma once

#include "base/json.hpp"
#include "tests/fuzz/lines.hpp"
#include "uplink/peer_session.hpp"

namespace edgecam::fuzz {

enum class Hears { textOnly, binaryToo };

/// Whatever is said, what the peer hears is JSON.
inline void converse(uplink::PeerSession& session, std::string_view lines, Hears hears) {
    while (!lines.empty()) session.receiveText(nextLine(lines));
    session.tick();
    while (const auto message = session.pop()) {
        const ByteView bytes = message->bytes();
        if (message->isBinary() && hears == Hears::textOnly) __builtin_trap();
        if (!message->isBinary() && !parseJson(textOf(bytes.data(), bytes.size()))) __builtin_trap();
    }
}

}  // namespace edgecam::fuzz
