#include "uplink/http_exchange.hpp"

#include <array>

#include "base/bytes.hpp"
#include "uplink/request_policy.hpp"

namespace edgecam::uplink {

std::string headerOf(lws* socket, lws_token_indexes token) {
    std::array<char, 4097> value{};
    const int length = lws_hdr_copy(socket, value.data(), static_cast<int>(value.size()), token);
    return length > 0 ? std::string(value.data(), static_cast<std::size_t>(length)) : std::string();
}

void writeAnswer(lws* socket, const std::string& answer) {
    ByteBuffer buffer(LWS_PRE);
    buffer.insert(buffer.end(), answer.begin(), answer.end());
    lws_write(socket, buffer.data() + LWS_PRE, answer.size(), LWS_WRITE_HTTP_FINAL);
}

bool asksFromHere(lws* socket) {
    std::array<char, 64> address{};
    lws_get_peer_simple(socket, address.data(), address.size());
    return isLoopback(address.data()) && lws_hdr_total_length(socket, WSI_TOKEN_X_FORWARDED_FOR) == 0;
}

std::optional<HttpRefusal> oddityOf(lws* socket, bool upgrade) {
    if (upgrade && headerOf(socket, WSI_TOKEN_VERSION) != "13") {
        return HttpRefusal{426, "Only version 13 of the WebSocket is spoken."};
    }
    const bool chunked = lws_hdr_total_length(socket, WSI_TOKEN_HTTP_TRANSFER_ENCODING) > 0;
    const bool sized = lws_hdr_total_length(socket, WSI_TOKEN_HTTP_CONTENT_LENGTH) > 0;
    if (chunked || (sized && headerOf(socket, WSI_TOKEN_HTTP_CONTENT_LENGTH) != "0")) {
        return HttpRefusal{400, "Requests have no body here."};
    }
    return std::nullopt;
}

}  // namespace edgecam::uplink
