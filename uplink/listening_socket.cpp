#include "uplink/listening_socket.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <optional>
#include <utility>

#include "base/log.hpp"

namespace edgecam::uplink {
namespace {

constexpr int kBacklog = 128;

struct Address {
    sockaddr_storage storage{};
    socklen_t size = 0;
    int family = AF_UNSPEC;
};

std::optional<Address> parseAddress(const std::string& text, int port) {
    Address parsed;
    auto* v4 = reinterpret_cast<sockaddr_in*>(&parsed.storage);
    auto* v6 = reinterpret_cast<sockaddr_in6*>(&parsed.storage);
    if (inet_pton(AF_INET, text.c_str(), &v4->sin_addr) == 1) {
        parsed.family = v4->sin_family = AF_INET;
        v4->sin_port = htons(static_cast<std::uint16_t>(port));
        parsed.size = sizeof *v4;
        return parsed;
    }
    if (inet_pton(AF_INET6, text == "*" ? "::" : text.c_str(), &v6->sin6_addr) == 1) {
        parsed.family = v6->sin6_family = AF_INET6;
        v6->sin6_port = htons(static_cast<std::uint16_t>(port));
        parsed.size = sizeof *v6;
        return parsed;
    }
    return std::nullopt;
}

std::string whyNot(int code) {
    switch (code) {
        case EADDRINUSE:
            return "the address is in use, by another program or another edgecam";
        case EADDRNOTAVAIL:
            return "the address is not one of this machine";
        case EACCES:
            return "not allowed (a port below 1024 needs a privilege)";
        default:
            return std::strerror(code);
    }
}

int portOf(int descriptor) {
    sockaddr_storage bound{};
    socklen_t size = sizeof bound;
    if (getsockname(descriptor, reinterpret_cast<sockaddr*>(&bound), &size) != 0) return 0;
    if (bound.ss_family == AF_INET) return ntohs(reinterpret_cast<sockaddr_in*>(&bound)->sin_port);
    return ntohs(reinterpret_cast<sockaddr_in6*>(&bound)->sin6_port);
}

}  // namespace

Result<ListeningSocket> ListeningSocket::open(const std::string& address, int port) {
    auto wanted = parseAddress(address, port);
    const std::string where = concat("listen on ", address, " port ", port);
    if (!wanted || port < 0 || port > 65535) {
        return Error{"not a numeric address (or \"*\") with a port from 0 to 65535"}.within(where);
    }
    int descriptor = socket(wanted->family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (descriptor < 0 && errno == EAFNOSUPPORT && address == "*") {
        // A kernel without IPv6: all addresses are then those of IPv4.
        wanted = parseAddress("0.0.0.0", port);
        descriptor = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    }
    if (descriptor < 0) return Error{whyNot(errno)}.within(where);

    ListeningSocket opened(descriptor, 0);
    const int yes = 1;
    const int onlySix = address == "*" ? 0 : 1;
    setsockopt(descriptor, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
    if (wanted->family == AF_INET6) {
        setsockopt(descriptor, IPPROTO_IPV6, IPV6_V6ONLY, &onlySix, sizeof onlySix);
    }
    if (bind(descriptor, reinterpret_cast<const sockaddr*>(&wanted->storage), wanted->size) != 0 ||
        listen(descriptor, kBacklog) != 0) {
        return Error{whyNot(errno)}.within(where);
    }
    opened.port_ = portOf(descriptor);
    return opened;
}

Result<ListeningSocket> ListeningSocket::adopt(int descriptor) {
    int listens = 0;
    socklen_t size = sizeof listens;
    if (getsockopt(descriptor, SOL_SOCKET, SO_ACCEPTCONN, &listens, &size) != 0 || listens == 0) {
        return Error{concat("descriptor ", descriptor, " does not listen")};
    }
    return ListeningSocket(descriptor, portOf(descriptor));
}

ListeningSocket::ListeningSocket(ListeningSocket&& other) noexcept
    : descriptor_(std::exchange(other.descriptor_, -1)), port_(other.port_) {}

ListeningSocket::~ListeningSocket() {
    if (descriptor_ >= 0) close(descriptor_);
}

int ListeningSocket::release() {
    return std::exchange(descriptor_, -1);
}

}  // namespace edgecam::uplink
