#include "uplink/proxy_reply.hpp"

#include <libwebsockets.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>

namespace edgecam::uplink {
namespace {

constexpr std::string_view kEndOfHead = "\r\n\r\n";
constexpr int kMaxHead = 4096;

bool connected(int descriptor) {
    sockaddr_storage other{};
    socklen_t size = sizeof other;
    return getpeername(descriptor, reinterpret_cast<sockaddr*>(&other), &size) == 0;
}

}  // namespace

int proxyStatusOf(std::string_view head) {
    constexpr std::string_view kVersion = "HTTP/1.";
    // "HTTP/1.1 407 words": three digits behind the version's second one and a blank (RFC 9112 section 4).
    if (!head.starts_with(kVersion) || head.size() < kVersion.size() + 5) return 0;
    const std::string_view digits = head.substr(kVersion.size() + 2, 3);
    const bool number = std::ranges::all_of(digits, [](char c) { return c >= '0' && c <= '9'; });
    return number ? (digits[0] - '0') * 100 + (digits[1] - '0') * 10 + digits[2] - '0' : 0;
}

void ProxyReply::look() {
    if (!held_) return;
    tellFrom(kMaxHead);  // each time: the proxy's next address has another descriptor
    const int descriptor = lws_get_socket_fd(socket_);
    // Why it could not connect is told once, and libwebsockets is to hear it. For the rest it has time
    // limits.
    if (!connected(descriptor)) return;
    std::array<char, kMaxHead> head{};
    const ssize_t size = recv(descriptor, head.data(), head.size(), MSG_PEEK | MSG_DONTWAIT);
    if (size < 0 && errno == EAGAIN) return;
    const std::string_view seen(head.data(), static_cast<std::size_t>(std::max<ssize_t>(size, 0)));
    status_ = proxyStatusOf(seen);
    const bool whole = seen.find(kEndOfHead) != std::string_view::npos || seen.size() == head.size();
    if (!whole && size > 0) return;
    held_ = false;
    tellFrom(1);
}

// Not by lws_rx_flow_control(): with that libwebsockets does not see that it is connected.
void ProxyReply::tellFrom(int bytes) const {
    setsockopt(lws_get_socket_fd(socket_), SOL_SOCKET, SO_RCVLOWAT, &bytes, sizeof bytes);
}

}  // namespace edgecam::uplink
