#include "tests/uplink/wire.hpp"

#include <arpa/inet.h>
#include <doctest/doctest.h>
#include <glib.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <utility>
#include <vector>

namespace edgecam::test {
namespace {

constexpr int kDeadlineMs = 10'000;
constexpr std::array<unsigned char, 4> kMask{0x37, 0xfa, 0x21, 0x3d};

sockaddr_in loopback(int port) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(static_cast<std::uint16_t>(port));
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    return address;
}

bool readable(int descriptor, int milliseconds) {
    pollfd waiting{descriptor, POLLIN, 0};
    return poll(&waiting, 1, milliseconds) == 1;
}

// The answer to a handshake's key (RFC 6455 section 4.2.2).
std::string acceptKey(const std::string& key) {
    const std::string text = key + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
    std::array<guint8, 20> digest{};
    gsize size = digest.size();
    GChecksum* sum = g_checksum_new(G_CHECKSUM_SHA1);
    g_checksum_update(sum, reinterpret_cast<const guchar*>(text.data()), static_cast<gssize>(text.size()));
    g_checksum_get_digest(sum, digest.data(), &size);
    g_checksum_free(sum);
    gchar* encoded = g_base64_encode(digest.data(), size);
    std::string result(encoded);
    g_free(encoded);
    return result;
}

void appendLength(std::string& frame, std::size_t length, bool masked) {
    const int bit = masked ? 0x80 : 0;
    if (length < 126) {
        frame.push_back(static_cast<char>(bit | static_cast<int>(length)));
        return;
    }
    const int width = length < 65536 ? 2 : 8;
    frame.push_back(static_cast<char>(bit | (width == 2 ? 126 : 127)));
    for (int shift = 8 * (width - 1); shift >= 0; shift -= 8)
        frame.push_back(static_cast<char>(length >> shift));
}

}  // namespace

int WireFrame::closeCode() const {
    if (payload.size() < 2) return 1005;
    return static_cast<unsigned char>(payload[0]) << 8 | static_cast<unsigned char>(payload[1]);
}

Wire Wire::dial(int port, int receiveBuffer) {
    const int descriptor = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (receiveBuffer > 0) {
        setsockopt(descriptor, SOL_SOCKET, SO_RCVBUF, &receiveBuffer, sizeof receiveBuffer);
    }
    const auto address = loopback(port);
    REQUIRE(connect(descriptor, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0);
    return {descriptor, true};
}

Wire Wire::dialFrom(const char* address, int port) {
    const int descriptor = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    auto here = loopback(0);
    REQUIRE(inet_pton(AF_INET, address, &here.sin_addr) == 1);
    REQUIRE(bind(descriptor, reinterpret_cast<const sockaddr*>(&here), sizeof here) == 0);
    const auto there = loopback(port);
    REQUIRE(connect(descriptor, reinterpret_cast<const sockaddr*>(&there), sizeof there) == 0);
    return {descriptor, true};
}

Wire::Wire(int descriptor, bool masks) : descriptor_(descriptor), masks_(masks) {}

Wire::Wire(Wire&& other) noexcept
    : descriptor_(std::exchange(other.descriptor_, -1)),
      masks_(other.masks_),
      buffered_(std::move(other.buffered_)) {}

Wire::~Wire() {
    if (descriptor_ >= 0) close(descriptor_);
}

void Wire::send(std::string_view bytes) {
    while (!bytes.empty()) {
        const auto sent = ::send(descriptor_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
        if (sent <= 0) return;  // the other side ended: the next read says so
        bytes.remove_prefix(static_cast<std::size_t>(sent));
    }
}

void Wire::sendFrame(int opcode, std::string_view payload, bool fin) {
    std::string frame(1, static_cast<char>((fin ? 0x80 : 0) | opcode));
    appendLength(frame, payload.size(), masks_);
    if (masks_) frame.append(kMask.begin(), kMask.end());
    const std::size_t head = frame.size();
    frame += payload;
    for (std::size_t i = 0; masks_ && i < payload.size(); ++i) {
        frame[head + i] = static_cast<char>(frame[head + i] ^ kMask[i % kMask.size()]);
    }
    send(frame);
}

bool Wire::fill() {
    if (!readable(descriptor_, kDeadlineMs)) return false;
    std::array<char, 65536> piece{};
    const auto got = recv(descriptor_, piece.data(), piece.size(), 0);
    if (got <= 0) return false;
    buffered_.append(piece.data(), static_cast<std::size_t>(got));
    return true;
}

std::string Wire::readHead() {
    std::size_t end = std::string::npos;
    while ((end = buffered_.find("\r\n\r\n")) == std::string::npos) {
        if (!fill()) return std::exchange(buffered_, {});
    }
    std::string head = buffered_.substr(0, end + 4);
    buffered_.erase(0, end + 4);
    return head;
}

std::string Wire::readAll() {
    while (fill()) {
    }
    return std::exchange(buffered_, {});
}

std::optional<WireFrame> Wire::nextFrame() {
    const auto need = [this](std::size_t count) {
        while (buffered_.size() < count) {
            if (!fill()) return false;
        }
        return true;
    };
    const auto byte = [this](std::size_t at) { return static_cast<unsigned char>(buffered_[at]); };
    if (!need(2)) return std::nullopt;
    WireFrame frame{.opcode = byte(0) & 0xf, .fin = (byte(0) & 0x80) != 0, .payload = {}};
    const bool masked = (byte(1) & 0x80) != 0;
    std::size_t length = byte(1) & 0x7f;
    std::size_t head = 2;
    if (length >= 126) {
        const std::size_t width = length == 126 ? 2 : 8;
        if (!need(head + width)) return std::nullopt;
        length = 0;
        for (std::size_t i = 0; i < width; ++i) length = length << 8 | byte(head + i);
        head += width;
    }
    std::string mask(4, '\0');
    if (masked) {
        if (!need(head + 4)) return std::nullopt;
        mask = buffered_.substr(head, 4);
        head += 4;
    }
    if (!need(head + length)) return std::nullopt;
    frame.payload = buffered_.substr(head, length);
    for (std::size_t i = 0; i < length; ++i)
        frame.payload[i] = static_cast<char>(frame.payload[i] ^ mask[i % 4]);
    buffered_.erase(0, head + length);
    return frame;
}

std::string Wire::textWith(std::string_view part) {
    while (const auto frame = nextFrame()) {
        if (frame->opcode == 8) return {};
        if (frame->opcode == 1 && frame->payload.find(part) != std::string::npos) return frame->payload;
    }
    return {};
}

int Wire::closeCode() {
    while (const auto frame = nextFrame()) {
        if (frame->opcode != 8) continue;
        sendFrame(8, frame->payload);
        return frame->closeCode();
    }
    return 1006;
}

bool Wire::isReset(std::chrono::milliseconds limit) {
    pollfd waiting{descriptor_, 0, 0};
    return poll(&waiting, 1, static_cast<int>(limit.count())) == 1 && (waiting.revents & POLLERR) != 0;
}

void Wire::askUpgrade(std::string_view path, std::string_view more, std::string_view host) {
    std::string request = "GET ";
    request.append(path).append(" HTTP/1.1\r\nHost: ").append(host);
    request +=
        "\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n";
    send(request.append(more).append("\r\n"));
}

std::string Wire::upgrade(std::string_view path, std::string_view more, std::string_view host) {
    askUpgrade(path, more, host);
    return readHead();
}

bool Wire::answersWithin(std::chrono::milliseconds limit) {
    return !buffered_.empty() || readable(descriptor_, static_cast<int>(limit.count()));
}

std::string Wire::acceptUpgrade(std::string_view extra) {
    std::string request = readHead();
    const std::string_view label = "Sec-WebSocket-Key: ";
    const auto at = request.find(label);
    if (at == std::string::npos) return request;
    const auto start = at + label.size();
    const std::string key = request.substr(start, request.find('\r', start) - start);
    std::string answer =
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        "Sec-WebSocket-Accept: " +
        acceptKey(key) + "\r\n";
    send(answer.append(extra).append("\r\n"));
    return request;
}

Listener::Listener() : descriptor_(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    auto address = loopback(0);
    REQUIRE(bind(descriptor_, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0);
    REQUIRE(listen(descriptor_, 16) == 0);
    socklen_t size = sizeof address;
    REQUIRE(getsockname(descriptor_, reinterpret_cast<sockaddr*>(&address), &size) == 0);
    port_ = ntohs(address.sin_port);
}

Listener::~Listener() {
    close(descriptor_);
}

std::optional<Wire> Listener::accept(std::chrono::milliseconds limit) {
    if (!readable(descriptor_, static_cast<int>(limit.count()))) return std::nullopt;
    const int descriptor = accept4(descriptor_, nullptr, nullptr, SOCK_CLOEXEC);
    if (descriptor < 0) return std::nullopt;
    return Wire(descriptor, false);
}

}  // namespace edgecam::test
