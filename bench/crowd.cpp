// Many viewers of one stream in one process and one thread, some of which never read once they have started
// it. Prints what arrived and how late, as a line of JSON. Sender and receiver share a clock.
#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>
#include <CLI/CLI.hpp>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/bytes.hpp"

using namespace edgecam;

namespace {

using Steady = std::chrono::steady_clock;

double utcMs() {
    return std::chrono::duration<double, std::milli>(std::chrono::system_clock::now().time_since_epoch())
        .count();
}

/// One viewer: RFC 6455 as far as an honest server needs it.
class Viewer {
  public:
    explicit Viewer(int port) : descriptor_(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
        sockaddr_in there{};
        there.sin_family = AF_INET;
        there.sin_port = htons(static_cast<std::uint16_t>(port));
        there.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        ended_ = connect(descriptor_, reinterpret_cast<const sockaddr*>(&there), sizeof there) != 0;
        write(
            "GET /v1/stream HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n");
        // With features: it is told why its connection ends.
        say(R"({"type":"auth","token":"bench","features":[]})");
        say(R"({"type":"stream_control","action":"start","camera_id":"noise","id":1})");
    }
    ~Viewer() { close(descriptor_); }
    Viewer(const Viewer&) = delete;
    Viewer& operator=(const Viewer&) = delete;

    [[nodiscard]] int descriptor() const { return descriptor_; }
    [[nodiscard]] bool ended() const { return ended_; }
    [[nodiscard]] std::uint32_t pictures() const { return pictures_; }
    [[nodiscard]] std::uint32_t missing() const { return missing_; }
    [[nodiscard]] int closeCode() const { return closeCode_; }

    /// Takes in what is there; appends the delivery times of whole pictures, in ms.
    void read(std::vector<double>& delays) {
        static std::array<std::uint8_t, 256 << 10> piece;
        const auto got = recv(descriptor_, piece.data(), piece.size(), MSG_DONTWAIT);
        if (got <= 0) {
            ended_ = got == 0 || errno != EAGAIN;
            return;
        }
        buffered_.insert(buffered_.end(), piece.begin(), piece.begin() + got);
        std::size_t used = upgraded_ ? 0 : skipHead();
        while (const std::size_t length = takeFrame(ByteView(buffered_).subspan(used), delays))
            used += length;
        buffered_.erase(buffered_.begin(), buffered_.begin() + static_cast<std::ptrdiff_t>(used));
    }

  private:
    void write(const std::string& text) {
        if (!ended_) ended_ = send(descriptor_, text.data(), text.size(), MSG_NOSIGNAL) < 0;
    }

    /// A client's frame, of less than 126 bytes, masked with zeros.
    void say(const std::string& text) {
        write(std::string{'\x81', static_cast<char>(0x80 | text.size()), 0, 0, 0, 0} + text);
    }

    std::size_t skipHead() {
        const std::string end = "\r\n\r\n";
        const auto at = std::search(buffered_.begin(), buffered_.end(), end.begin(), end.end());
        upgraded_ = at != buffered_.end();
        return upgraded_ ? static_cast<std::size_t>(at - buffered_.begin()) + end.size() : 0;
    }

    /// The bytes of the whole frame at the beginning; 0 when it is not all there.
    std::size_t takeFrame(ByteView bytes, std::vector<double>& delays) {
        ByteReader in(bytes);
        const auto first = in.u8();
        const auto second = in.u8();
        if (!upgraded_ || !second) return 0;
        std::size_t length = *second & 0x7fU;
        std::size_t head = 2;
        if (length >= 126) {
            const auto longer = length == 126 ? std::optional<std::uint64_t>(in.u16()) : in.u64();
            head = length == 126 ? 4 : 10;
            if (!longer || bytes.size() < head) return 0;
            length = *longer;
        }
        if (bytes.size() < head + length) return 0;
        const int opcode = *first & 0x0f;
        const ByteView payload = bytes.subspan(head, length);
        if (opcode == 8 && length >= 2) closeCode_ = payload[0] << 8 | payload[1];
        if (opcode == 2) takePart(payload, delays);
        return head + length;
    }

    void takePart(ByteView message, std::vector<double>& delays) {
        ByteReader in(message);
        const auto kind = in.u64().value_or(0) >> 48 & 0xff;
        const std::uint32_t sequence = in.u32().value_or(0);
        const std::uint32_t offset = in.u32().value_or(0);
        const std::uint64_t captureUs = in.u64().value_or(0);
        const std::uint32_t total = in.u32().value_or(0);
        if (kind != 2 || offset + message.size() - 32 != total) return;
        if (lastSequence_ && sequence != *lastSequence_ + 1) missing_ += sequence - *lastSequence_ - 1;
        lastSequence_ = sequence;
        ++pictures_;
        delays.push_back(utcMs() - static_cast<double>(captureUs) / 1000);
    }

    int descriptor_;
    bool ended_ = false;
    bool upgraded_ = false;
    ByteBuffer buffered_;
    std::uint32_t pictures_ = 0;
    std::uint32_t missing_ = 0;
    std::optional<std::uint32_t> lastSequence_;
    int closeCode_ = 0;
};

double percentile(std::vector<double>& values, double share) {
    if (values.empty()) return 0;
    const auto at =
        values.begin() + static_cast<std::ptrdiff_t>(share * static_cast<double>(values.size() - 1));
    std::nth_element(values.begin(), at, values.end());
    return *at;
}

}  // namespace

int main(int argc, char** argv) {
    int port = 0;
    std::size_t viewers = 100;
    std::size_t stuck = 0;
    double seconds = 15;
    double stuckReadsAfter = 1e9;
    CLI::App app("Watches one stream many times.");
    app.add_option("--port", port)->required();
    app.add_option("--viewers", viewers, "that read");
    app.add_option("--stuck", stuck, "that never read");
    app.add_option("--stuck-read-after", stuckReadsAfter, "seconds");
    app.add_option("--seconds", seconds);
    CLI11_PARSE(app, argc, argv);

    std::vector<std::unique_ptr<Viewer>> all;
    for (std::size_t i = 0; i < viewers + stuck; ++i) all.push_back(std::make_unique<Viewer>(port));
    std::vector<pollfd> waiting;
    // Of a stuck one only its end is seen: poll() tells of errors unasked.
    for (std::size_t i = 0; i < all.size(); ++i) {
        const short wanted = i < viewers ? POLLIN : 0;
        waiting.push_back({all[i]->descriptor(), wanted, 0});
    }
    std::vector<double> delays;
    std::vector<double> beginning;
    const auto begin = Steady::now();
    const auto warm = begin + std::chrono::seconds(1);
    const auto end = begin + std::chrono::duration<double>(seconds);
    double stuckEndedAfter = -1;
    while (Steady::now() < end) {
        if (poll(waiting.data(), waiting.size(), 100) < 0) break;
        const double now = std::chrono::duration<double>(Steady::now() - begin).count();
        for (std::size_t i = 0; i < all.size(); ++i) {
            const bool isStuck = i >= viewers;
            if (isStuck && now >= stuckReadsAfter) waiting[i].events = POLLIN;
            if (waiting[i].revents == 0) continue;
            const bool ends = (waiting[i].revents & (POLLERR | POLLHUP)) != 0;
            if (!isStuck || (waiting[i].revents & POLLIN) != 0) {
                all[i]->read(isStuck || Steady::now() < warm ? beginning : delays);
            }
            if (!all[i]->ended() && !(isStuck && ends)) continue;
            if (isStuck) stuckEndedAfter = now;
            waiting[i].fd = -1;
        }
    }
    std::uint32_t fewest = ~0U;
    std::uint32_t missing = 0;
    std::size_t lost = 0;
    for (std::size_t i = 0; i < viewers; ++i) {
        fewest = std::min(fewest, all[i]->pictures());
        missing += all[i]->missing();
        lost += all[i]->ended() ? 1 : 0;
    }
    std::printf(
        "{\"viewers\":%zu,\"stuck\":%zu,\"pictures\":%zu,\"fewest\":%u,\"missing\":%u,\"ended\":%zu,"
        "\"p50_ms\":%.2f,\"p99_ms\":%.2f,\"max_ms\":%.2f,\"stuck_ended_after_s\":%.1f,"
        "\"stuck_close_code\":%d}\n",
        viewers, stuck, delays.size(), fewest, missing, lost, percentile(delays, 0.5),
        percentile(delays, 0.99), percentile(delays, 1), stuckEndedAfter,
        stuck > 0 ? all.back()->closeCode() : 0);
    return 0;
}
