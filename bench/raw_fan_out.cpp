// The floor of a fan-out: noise as video to as many sockets by epoll and send(), with the bytes that a viewer
// of noise_agent gets and nothing else: no lanes, no limits, no JSON but one greeting. One thread.
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>
#include <CLI/CLI.hpp>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <deque>
#include <map>
#include <memory>
#include <random>
#include <string>

#include "base/bytes.hpp"
#include "base/clock.hpp"

using namespace edgecam;

namespace {

using Steady = std::chrono::steady_clock;

constexpr std::string_view kGreeting =
    "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n"
    "Connection: Upgrade\r\n"
    "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n\x81\x02{}";
constexpr std::size_t kMostWaiting = 60;  ///< pictures; who is further behind is let go

struct Settings {
    int kbps = 2000;
    int framesPerSecond = 30;
    double secondsBetweenKeys = 2;
    std::size_t keyBytes = 60'000;
};

struct Client {
    bool greeted = false;
    bool waitsForRoom = false;
    std::deque<SharedBytes> waiting;
    std::size_t sent = 0;  ///< of the first that waits
};

class Sender {
  public:
    explicit Sender(const Settings& settings)
        : settings_(settings),
          poll_(epoll_create1(EPOLL_CLOEXEC)),
          listener_(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0)),
          noise_(1 << 20) {
        std::mt19937 random(1);
        std::ranges::generate(noise_, [&] { return static_cast<std::uint8_t>(random()); });
    }

    int open() {
        sockaddr_in here{};
        here.sin_family = AF_INET;
        here.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        socklen_t size = sizeof here;
        if (bind(listener_, reinterpret_cast<const sockaddr*>(&here), size) != 0) return -1;
        if (listen(listener_, 1024) != 0) return -1;
        getsockname(listener_, reinterpret_cast<sockaddr*>(&here), &size);
        watch(EPOLL_CTL_ADD, listener_, EPOLLIN);
        return ntohs(here.sin_port);
    }

    [[noreturn]] void run() {
        const auto between = std::chrono::duration<double>(1.0 / settings_.framesPerSecond);
        auto next = std::chrono::duration<double>(0);
        const auto begin = Steady::now();
        for (;;) {
            const std::chrono::duration<double> left = begin + next - Steady::now();
            if (left.count() <= 0) {
                sendPicture();
                next += between;
                continue;
            }
            turn(static_cast<int>(left.count() * 1000) + 1);
        }
    }

  private:
    void watch(int operation, int descriptor, std::uint32_t events) const {
        epoll_event event{};
        event.events = events;
        event.data.fd = descriptor;
        epoll_ctl(poll_, operation, descriptor, &event);
    }

    void turn(int milliseconds) {
        std::array<epoll_event, 512> events;
        const int count = epoll_wait(poll_, events.data(), static_cast<int>(events.size()), milliseconds);
        for (int i = 0; i < count; ++i) {
            const epoll_event& event = events[static_cast<std::size_t>(i)];
            if (event.data.fd == listener_) {
                accept();
                continue;
            }
            const auto client = clients_.find(event.data.fd);
            if (client == clients_.end()) continue;
            if ((event.events & EPOLLOUT) != 0) flush(client->first, client->second);
            if ((event.events & (EPOLLIN | EPOLLHUP | EPOLLERR)) != 0) read(client->first);
        }
    }

    void accept() {
        const int descriptor = accept4(listener_, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (descriptor < 0) return;
        const int on = 1;
        setsockopt(descriptor, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
        clients_[descriptor];
        watch(EPOLL_CTL_ADD, descriptor, EPOLLIN);
    }

    void read(int descriptor) {
        std::array<char, 4096> words;
        const auto got = recv(descriptor, words.data(), words.size(), 0);
        if (got == 0 || (got < 0 && errno != EAGAIN)) return end(descriptor);
        Client& client = clients_[descriptor];
        if (std::exchange(client.greeted, true)) return;
        client.waiting.push_back(share(ByteBuffer(kGreeting.begin(), kGreeting.end())));
        flush(descriptor, client);
    }

    void end(int descriptor) {
        clients_.erase(descriptor);
        close(descriptor);
    }

    void flush(int descriptor, Client& client) {
        while (!client.waiting.empty()) {
            const ByteView rest = ByteView(*client.waiting.front()).subspan(client.sent);
            const auto sent = send(descriptor, rest.data(), rest.size(), MSG_NOSIGNAL);
            if (sent < 0) break;
            client.sent += static_cast<std::size_t>(sent);
            if (client.sent < client.waiting.front()->size()) continue;
            client.waiting.pop_front();
            client.sent = 0;
        }
        if (client.waitsForRoom == !client.waiting.empty()) return;
        client.waitsForRoom = !client.waiting.empty();
        watch(EPOLL_CTL_MOD, descriptor, client.waitsForRoom ? EPOLLIN | EPOLLOUT : EPOLLIN);
    }

    /// The frame as it is on the wire (docs/protocol.md), sizes as noise_agent's.
    SharedBytes nextPicture() {
        const double betweenKeys = settings_.secondsBetweenKeys * settings_.framesPerSecond;
        const bool key = sequence_ % static_cast<std::uint32_t>(betweenKeys) == 0;
        const double rest =
            settings_.kbps * 125.0 * settings_.secondsBetweenKeys - static_cast<double>(settings_.keyBytes);
        const double delta = std::max(200.0, rest / (betweenKeys - 1));
        const auto bytes = key ? settings_.keyBytes : static_cast<std::size_t>(delta);
        ++sequence_;
        auto frame = std::make_shared<ByteBuffer>();
        frame->reserve(bytes + 48);
        ByteWriter out(*frame);
        out.u8(0x82);
        if (bytes + 32 < 126) {
            out.u8(static_cast<std::uint8_t>(bytes + 32));
        } else if (bytes + 32 < 65536) {
            out.u8(126);
            out.u16(static_cast<std::uint16_t>(bytes + 32));
        } else {
            out.u8(127);
            out.u64(bytes + 32);
        }
        out.u64(std::uint64_t{1} << 56 | std::uint64_t{2} << 48 | std::uint64_t{key} << 40 |
                std::uint64_t{32} << 32 | std::uint64_t{1} << 16);
        out.u32(sequence_);
        out.u32(0);
        out.u64(microsecondsOf(clock_.utc()));
        out.u32(static_cast<std::uint32_t>(bytes));
        out.u32(0);
        out.bytes(ByteView(noise_).subspan(sequence_ % 1000, bytes));
        return frame;
    }

    void sendPicture() {
        const SharedBytes picture = nextPicture();
        std::vector<int> late;
        for (auto& [descriptor, client] : clients_) {
            if (!client.greeted) continue;
            client.waiting.push_back(picture);
            if (client.waiting.size() > kMostWaiting) late.push_back(descriptor);
            if (!client.waitsForRoom) flush(descriptor, client);
        }
        for (const int descriptor : late) end(descriptor);
    }

    const Settings settings_;
    const int poll_;
    const int listener_;
    ByteBuffer noise_;
    const SystemClock clock_;
    std::map<int, Client> clients_;
    std::uint32_t sequence_ = 0;
};

}  // namespace

int main(int argc, char** argv) {
    std::signal(SIGPIPE, SIG_IGN);
    Settings settings;
    CLI::App app("Sends noise as video to whoever comes, as cheaply as it can be done; prints its port.");
    app.add_option("--kbps", settings.kbps, "on average");
    app.add_option("--fps", settings.framesPerSecond);
    app.add_option("--key-every", settings.secondsBetweenKeys, "seconds");
    app.add_option("--key-bytes", settings.keyBytes, "at most 1 MB");
    CLI11_PARSE(app, argc, argv);
    Sender sender(settings);
    const int port = sender.open();
    if (port < 0) return std::perror("raw_fan_out"), 1;
    std::printf("{\"port\":%d}\n", port);
    std::fflush(stdout);
    sender.run();
}
