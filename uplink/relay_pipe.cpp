#include "uplink/relay_pipe.hpp"

#include <fcntl.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <utility>

namespace edgecam::uplink {
namespace {

constexpr std::size_t kLengthBytes = 4;
constexpr std::size_t kReadAtOnce = 256 << 10;
constexpr std::size_t kKeptRoom = 1 << 20;

}  // namespace

RelayPipe::RelayPipe(int socket, std::size_t mostIn)
    : socket_(socket), wakeUp_(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)), mostIn_(mostIn) {
    fcntl(socket_, F_SETFL, fcntl(socket_, F_GETFL) | O_NONBLOCK);
}

RelayPipe::~RelayPipe() {
    close(socket_);
    close(wakeUp_);
}

void RelayPipe::send(const ByteBuffer& message) {
    ByteBuffer framed;
    framed.reserve(kLengthBytes + message.size());
    ByteWriter writer(framed);
    writer.u32(static_cast<std::uint32_t>(message.size()));
    writer.bytes(ByteView(message));
    const std::lock_guard lock(mutex_);
    waiting_.fetch_add(framed.size(), std::memory_order_relaxed);
    out_.push_back(std::move(framed));
    // At once, without a turn of the other thread; that looks after what the socket does not take, and hears
    // of its end.
    (void)writeSome();
    if (!out_.empty()) wake();
}

void RelayPipe::wake() {
    const std::uint64_t one = 1;
    // Full is as good as written: it wakes.
    [[maybe_unused]] const ssize_t written = write(wakeUp_, &one, sizeof one);
}

bool RelayPipe::serve(Microseconds longest, const std::function<void(ByteView message)>& take) {
    const short wanted = waiting() > 0 ? POLLIN | POLLOUT : POLLIN;
    std::array<pollfd, 2> polled{{{socket_, wanted, 0}, {wakeUp_, POLLIN, 0}}};
    const auto ms = std::chrono::ceil<std::chrono::milliseconds>(longest).count();
    if (poll(polled.data(), polled.size(), static_cast<int>(ms)) < 0 && errno != EINTR) return false;
    if ((polled[1].revents & POLLIN) != 0) {
        std::uint64_t count = 0;
        [[maybe_unused]] const ssize_t taken = read(wakeUp_, &count, sizeof count);
    }
    {
        const std::lock_guard lock(mutex_);
        if (!writeSome()) return false;
    }
    if ((polled[0].revents & (POLLIN | POLLHUP | POLLERR)) != 0) return readSome(take);
    return true;
}

/// Under the lock.
bool RelayPipe::writeSome() {
    while (!out_.empty()) {
        const ByteBuffer& first = out_.front();
        const ssize_t sent =
            ::send(socket_, first.data() + written_, first.size() - written_, MSG_NOSIGNAL | MSG_DONTWAIT);
        if (sent < 0) return errno == EAGAIN || errno == EINTR;
        written_ += static_cast<std::size_t>(sent);
        waiting_.fetch_sub(static_cast<std::size_t>(sent), std::memory_order_relaxed);
        if (written_ < first.size()) continue;
        out_.pop_front();
        written_ = 0;
    }
    return true;
}

bool RelayPipe::readSome(const std::function<void(ByteView message)>& take) {
    if (in_.size() < filled_ + kReadAtOnce) in_.resize(filled_ + kReadAtOnce);
    const ssize_t got = recv(socket_, in_.data() + filled_, kReadAtOnce, MSG_DONTWAIT);
    if (got < 0) return errno == EAGAIN || errno == EINTR;
    if (got == 0) return false;
    filled_ += static_cast<std::size_t>(got);
    ByteView rest = ByteView(in_).first(filled_);
    while (rest.size() >= kLengthBytes) {
        const std::size_t length = *ByteReader(rest).u32();
        if (length > mostIn_) return false;
        if (rest.size() - kLengthBytes < length) break;
        take(rest.subspan(kLengthBytes, length));
        rest = rest.subspan(kLengthBytes + length);
    }
    std::copy(rest.begin(), rest.end(), in_.begin());
    filled_ = rest.size();
    // What one large message needed is not kept for the many small ones.
    if (filled_ == 0 && in_.size() > kKeptRoom) ByteBuffer().swap(in_);
    return true;
}

}  // namespace edgecam::uplink
