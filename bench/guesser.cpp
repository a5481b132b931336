// One who guesses tokens of a local server, so many a second, half of them by `auth`, half at the handshake.
// Prints how they were answered as a line of JSON.
#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>
#include <CLI/CLI.hpp>

#include <array>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <list>
#include <string>
#include <utility>
#include <vector>

namespace {

using Steady = std::chrono::steady_clock;

struct Settings {
    int port = 0;
    double rate = 1000;
    double seconds = 10;
    unsigned addresses = 1;
};

struct Answers {
    std::size_t tried = 0;
    std::size_t wrong = 0;    ///< compared: 401, 4401
    std::size_t unheard = 0;  ///< not even that: 429, 4429
    std::size_t other = 0;
};

sockaddr_in loopback(std::uint32_t address, int port) {
    sockaddr_in place{};
    place.sin_family = AF_INET;
    place.sin_port = htons(static_cast<std::uint16_t>(port));
    place.sin_addr.s_addr = htonl(address);
    return place;
}

/// One try, on a connection of its own.
class Guess {
  public:
    Guess(const Settings& settings, std::size_t number)
        : descriptor_(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0)) {
        const auto turn = static_cast<std::uint32_t>(number % settings.addresses);
        const auto here = loopback(0x7f030000U + (turn / 250 << 8) + 1 + turn % 250, 0);
        const auto there = loopback(INADDR_LOOPBACK, settings.port);
        // With a reset at its end: no port stays in TIME_WAIT.
        const linger atOnce{.l_onoff = 1, .l_linger = 0};
        setsockopt(descriptor_, SOL_SOCKET, SO_LINGER, &atOnce, sizeof atOnce);
        if (bind(descriptor_, reinterpret_cast<const sockaddr*>(&here), sizeof here) != 0) return;
        (void)connect(descriptor_, reinterpret_cast<const sockaddr*>(&there), sizeof there);
        const std::string token = "guess-" + std::to_string(number);
        const bool early = number % 2 == 0;
        words_ =
            "GET /v1/stream HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n" +
            (early ? "Authorization: Bearer " + token + "\r\n\r\n" : "\r\n");
        if (early) return;
        const std::string auth = R"({"type":"auth","features":[],"token":")" + token + "\"}";
        guess_ = std::string{'\x81', static_cast<char>(0x80 | auth.size()), 0, 0, 0, 0} + auth;
    }
    ~Guess() { close(descriptor_); }
    Guess(const Guess&) = delete;
    Guess& operator=(const Guess&) = delete;

    [[nodiscard]] pollfd waiting() const {
        const short wanted = words_.empty() ? POLLIN : POLLOUT;
        return {descriptor_, wanted, 0};
    }

    /// Goes on when poll() says so. True: it was answered, or it failed.
    bool goOn(Answers& answers) {
        if (!words_.empty()) {
            const auto sent = send(descriptor_, words_.data(), words_.size(), MSG_NOSIGNAL);
            words_.clear();
            if (sent <= 0) return end(answers.other);
            return false;
        }
        std::array<char, 4096> piece{};
        const auto got = recv(descriptor_, piece.data(), piece.size(), 0);
        if (got > 0) heard_.append(piece.data(), static_cast<std::size_t>(got));
        // Said with the handshake, it would not be heard: RFC 6455 wants a client to wait for the answer.
        if (!guess_.empty() && heard_.find("\r\n\r\n") != std::string::npos)
            words_ = std::exchange(guess_, {});
        if (heard_.find("HTTP/1.1 401") == 0 || hasCode(4401)) return end(answers.wrong);
        if (heard_.find("HTTP/1.1 429") == 0 || hasCode(4429)) return end(answers.unheard);
        return got <= 0 && end(answers.other);
    }

  private:
    static bool end(std::size_t& counter) {
        ++counter;
        return true;
    }
    /// A close frame of the server holds it, right behind its length.
    [[nodiscard]] bool hasCode(int code) const {
        const std::string bytes{static_cast<char>(code >> 8), static_cast<char>(code & 0xff)};
        const auto at = heard_.find(bytes);
        return at != std::string::npos && at >= 2 && heard_[at - 2] == '\x88';
    }

    int descriptor_;
    std::string words_;  ///< still to be said
    std::string guess_;  ///< what is said when the handshake is answered
    std::string heard_;
};

Answers guess(const Settings& settings) {
    Answers answers;
    std::list<Guess> open;
    const auto begin = Steady::now();
    const auto end = begin + std::chrono::duration<double>(settings.seconds);
    while (Steady::now() < end) {
        const double passed = std::chrono::duration<double>(Steady::now() - begin).count();
        while (static_cast<double>(answers.tried) < passed * settings.rate && open.size() < 500) {
            open.emplace_back(settings, answers.tried++);
        }
        std::vector<pollfd> waiting;
        for (const Guess& each : open) waiting.push_back(each.waiting());
        if (poll(waiting.data(), waiting.size(), 1) < 0) break;
        auto each = open.begin();
        for (const pollfd& one : waiting) {
            const bool over = one.revents != 0 && each->goOn(answers);
            each = over ? open.erase(each) : std::next(each);
        }
    }
    return answers;
}

}  // namespace

int main(int argc, char** argv) {
    Settings settings;
    CLI::App app("Guesses tokens.");
    app.add_option("--port", settings.port)->required();
    app.add_option("--rate", settings.rate, "tries a second");
    app.add_option("--seconds", settings.seconds);
    app.add_option("--addresses", settings.addresses, "to come from, one after the other")
        ->check(CLI::Range(1, 60'000));
    CLI11_PARSE(app, argc, argv);
    const Answers answers = guess(settings);
    std::printf("{\"tried\":%zu,\"per_second\":%.0f,\"wrong\":%zu,\"unheard\":%zu,\"other\":%zu}\n",
                answers.tried, static_cast<double>(answers.tried) / settings.seconds, answers.wrong,
                answers.unheard, answers.other);
    return 0;
}
