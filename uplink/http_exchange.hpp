// HttpExchange: what is read of a request over HTTP, and how it is answered, in terms of libwebsockets. It
// knows no path and no token.
#pragma once

#include <libwebsockets.h>

#include <optional>
#include <string>

#include "uplink/denial.hpp"

namespace edgecam::uplink {

/// Only in callbacks of a request, or of the handshake, while its headers are there.
/// A header's value; empty when it is absent or too long to be honest.
std::string headerOf(lws* socket, lws_token_indexes token);

/// Writes a whole HTTP answer; the caller then closes.
void writeAnswer(lws* socket, const std::string& answer);

/// The other end is on this machine, and no proxy says that it asks for somebody elsewhere.
bool asksFromHere(lws* socket);

struct HttpRefusal {
    int status;
    const char* sentence;
    std::optional<Denial> denial = {};
};

/// What libwebsockets takes and no honest client sends: a body that it would leave in the stream, where a
/// proxy in front and we could differ on where the next request begins; another version of the WebSocket.
std::optional<HttpRefusal> oddityOf(lws* socket, bool upgrade);

}  // namespace edgecam::uplink
