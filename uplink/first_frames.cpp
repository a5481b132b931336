#include "uplink/first_frames.hpp"

#include <fcntl.h>
#include <libwebsockets.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <utility>

namespace edgecam::uplink {
namespace {

constexpr int kHead = 2;  ///< the second byte's highest bit says it (RFC 6455 section 5.2)

void tellFrom(lws* client, int bytes) {
    setsockopt(lws_get_socket_fd(client), SOL_SOCKET, SO_RCVLOWAT, &bytes, sizeof bytes);
}

}  // namespace

FirstFrames::FirstFrames(std::function<void(lws* client)> unmasked, std::function<void()> soon)
    : unmasked_(std::move(unmasked)), soon_(std::move(soon)) {}

void FirstFrames::await(lws* client) {
    lws_sock_file_fd_type descriptor{};
    descriptor.filefd = fcntl(lws_get_socket_fd(client), F_DUPFD_CLOEXEC, 0);
    if (descriptor.filefd < 0) return;
    lws* ours = lws_adopt_descriptor_vhost(lws_get_vhost(client), LWS_ADOPT_RAW_FILE_DESC, descriptor,
                                           nullptr, nullptr);
    if (ours == nullptr) return;
    clients_[ours] = client;
    lws_rx_flow_control(client, 0);
    // A first byte alone would wake the poll again and again.
    if (lws_get_ssl(client) == nullptr) tellFrom(client, kHead);
}

FirstFrames::Head FirstFrames::headOf(lws* client) {
    std::array<unsigned char, kHead> head{};
    ssize_t size = 0;
    bool later = false;
    if (SSL* tls = lws_get_ssl(client)) {
        size = SSL_peek(tls, head.data(), kHead);
        later = size <= 0 && SSL_get_error(tls, static_cast<int>(size)) == SSL_ERROR_WANT_READ;
        ERR_clear_error();  // whatever it is, libwebsockets will meet it
    } else {
        size = recv(lws_get_socket_fd(client), head.data(), kHead, MSG_PEEK | MSG_DONTWAIT);
        later = size < 0 && (errno == EAGAIN || errno == EINTR);
    }
    if (later) return Head::awaited;
    if (size < kHead) return Head::none;
    return (head[1] & 0x80) != 0 ? Head::masked : Head::unmasked;
}

bool FirstFrames::look(lws* ours) {
    lws* client = clients_.at(ours);
    const Head head = headOf(client);
    if (head == Head::awaited) return true;
    clients_[ours] = nullptr;
    if (head == Head::unmasked) {
        unmasked_(client);
    } else {
        read(client);
    }
    return false;
}

void FirstFrames::read(lws* client) {
    lws_rx_flow_control(client, 1);
    if (lws_get_ssl(client) == nullptr) return tellFrom(client, 1);
    // Not from here: this is a callback of another socket.
    decrypted_.insert(client);
    soon_();
}

void FirstFrames::readDecrypted() {
    while (!decrypted_.empty()) {
        lws* client = *decrypted_.begin();
        decrypted_.erase(client);
        pollfd ready{.fd = lws_get_socket_fd(client), .events = POLLIN, .revents = POLLIN};
        lws_service_fd(lws_get_context(client), &ready);
    }
}

void FirstFrames::ended(lws* socket) {
    decrypted_.erase(socket);
    if (clients_.erase(socket) > 0) return;  // by itself only when the connection is broken, for both
    const auto waits = std::ranges::find(clients_, socket, [](const auto& item) { return item.second; });
    if (waits == clients_.end()) return;
    // The second descriptor would keep the connection open.
    waits->second = nullptr;
    lws_set_timeout(waits->first, PENDING_TIMEOUT_USER_OK, LWS_TO_KILL_SYNC);
}

}  // namespace edgecam::uplink
