// Many viewers of one stream in one process and one thread, some of which never read once they have started
// it. Prints what arrived and how late, as a line of JSON. Sender and receiver share a clock.
#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/epoll.h>
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
#include <string_view>
#include <vector>

#include "base/bytes.hpp"

using namespace edgecam;

namespace {

using Steady = std::chrono::steady_clock;

double utcMs() {
    return std::chrono::duration<double, std::milli>(std::chrono::system_clock::now().time_since_epoch())
        .count();
}

/// One viewer: RFC 6455 as far as an honest server needs it. Of a message only the first bytes are kept: a
/// thousand viewers take half a gigabyte a second.
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
    }
    ~Viewer() { close(descriptor_); }
    Viewer(const Viewer&) = delete;
    Viewer& operator=(const Viewer&) = delete;

    [[nodiscard]] int descriptor() const { return descriptor_; }
    [[nodiscard]] bool ended() const { return ended_; }
    [[nodiscard]] bool upgraded() const { return upgraded_; }
    /// The server has said something over the WebSocket.
    [[nodiscard]] bool welcome() const { return messages_ > 0; }
    [[nodiscard]] std::uint32_t pictures() const { return pictures_; }
    [[nodiscard]] std::uint32_t missing() const { return missing_; }
    [[nodiscard]] std::uint32_t drops() const { return drops_; }
    [[nodiscard]] int closeCode() const { return closeCode_; }

    /// Takes in what is there; appends the delivery times of whole pictures, in ms.
    void read(std::vector<double>& delays) {
        static std::array<std::uint8_t, 256 << 10> piece;
        const auto got = recv(descriptor_, piece.data(), piece.size(), MSG_DONTWAIT);
        if (got <= 0) {
            ended_ = got == 0 || errno != EAGAIN;
            return;
        }
        ByteView bytes(piece.data(), static_cast<std::size_t>(got));
        while (!bytes.empty()) bytes = bytes.subspan(upgraded_ ? takeSome(bytes, delays) : skipHead(bytes));
    }

  private:
    static constexpr std::size_t kKept = 48;  ///< of a message, its frame's head included

    void write(const std::string& text) {
        if (!ended_) ended_ = send(descriptor_, text.data(), text.size(), MSG_NOSIGNAL) < 0;
    }

    /// A client's frame, of less than 126 bytes, masked with zeros.
    void say(const std::string& text) {
        write(std::string{'\x81', static_cast<char>(0x80 | text.size()), 0, 0, 0, 0} + text);
    }

    void ask() {
        // With features: it is told why its connection ends.
        say(R"({"type":"auth","token":"bench","features":[]})");
        say(R"({"type":"stream_control","action":"start","camera_id":"noise","id":1})");
    }

    std::size_t skipHead(ByteView bytes) {
        constexpr std::string_view kEnd = "\r\n\r\n";
        std::size_t used = 0;
        while (used < bytes.size() && endSeen_ < kEnd.size()) {
            const bool matches = bytes[used++] == static_cast<std::uint8_t>(kEnd[endSeen_]);
            endSeen_ = matches ? endSeen_ + 1 : 0;
        }
        upgraded_ = endSeen_ == kEnd.size();
        if (upgraded_) ask();
        return used;
    }

    /// Bytes of the present frame's head, as far as it is there; 0: of its length nothing is known yet.
    [[nodiscard]] std::size_t headBytes() const {
        if (kept_ < 2) return 0;
        const int code = head_[1] & 0x7f;
        return code < 126 ? 2 : code == 126 ? 4 : 10;
    }
    [[nodiscard]] std::uint64_t payloadBytes() const {
        ByteReader in(ByteView(head_).subspan(1));
        const std::uint64_t code = in.u8().value_or(0) & 0x7fU;
        return code < 126 ? code : code == 126 ? in.u16().value_or(0) : in.u64().value_or(0);
    }

    /// Takes bytes of one frame; gives how many.
    std::size_t takeSome(ByteView bytes, std::vector<double>& delays) {
        std::size_t used = 0;
        while (used < bytes.size() && (headBytes() == 0 || kept_ < headBytes()))
            head_[kept_++] = bytes[used++];
        if (headBytes() == 0 || kept_ < headBytes()) return used;
        const std::uint64_t whole = headBytes() + payloadBytes();
        const auto keeps = static_cast<std::size_t>(std::min<std::uint64_t>(whole, kKept));
        while (used < bytes.size() && kept_ < keeps) head_[kept_++] = bytes[used++];
        if (kept_ < keeps) return used;
        const auto rest = static_cast<std::size_t>(whole - kept_ - skipped_);
        const std::size_t skips = std::min(rest, bytes.size() - used);
        skipped_ += skips;
        if (skips == rest) {
            takeMessage(payloadBytes(), delays);
            kept_ = skipped_ = 0;
        }
        return used + skips;
    }

    void takeMessage(std::uint64_t length, std::vector<double>& delays) {
        const int opcode = head_[0] & 0x0f;
        const ByteView start = ByteView(head_).first(kept_).subspan(headBytes());
        ++messages_;
        if (opcode == 8 && length >= 2) closeCode_ = start[0] << 8 | start[1];
        if (opcode == 2) takePart(start, length, delays);
        constexpr std::string_view kDrop = R"({"type":"drop")";
        if (opcode == 1 &&
            std::ranges::equal(start.first(std::min(start.size(), kDrop.size())), viewOf(kDrop)))
            ++drops_;
    }

    void takePart(ByteView start, std::uint64_t length, std::vector<double>& delays) {
        ByteReader in(start);
        const auto kind = in.u64().value_or(0) >> 48 & 0xff;
        const std::uint32_t sequence = in.u32().value_or(0);
        const std::uint32_t offset = in.u32().value_or(0);
        const std::uint64_t captureUs = in.u64().value_or(0);
        const std::uint32_t total = in.u32().value_or(0);
        if (kind != 2 || offset + length - 32 != total) return;
        if (lastSequence_ && sequence != *lastSequence_ + 1) missing_ += sequence - *lastSequence_ - 1;
        lastSequence_ = sequence;
        ++pictures_;
        delays.push_back(utcMs() - static_cast<double>(captureUs) / 1000);
    }

    int descriptor_;
    bool ended_ = false;
    bool upgraded_ = false;
    std::size_t endSeen_ = 0;  ///< of what ends the HTTP head
    std::array<std::uint8_t, kKept> head_{};
    std::size_t kept_ = 0;     ///< of the present frame, in head_
    std::size_t skipped_ = 0;  ///< of it, behind those
    std::uint64_t messages_ = 0;
    std::uint32_t pictures_ = 0;
    std::uint32_t missing_ = 0;
    std::uint32_t drops_ = 0;
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

/// So many may be on their way in at once: a server that guards itself has few places for those.
constexpr std::size_t kAtTheDoor = 16;

class Crowd {
  public:
    Crowd(int port, std::size_t viewers, std::size_t stuck)
        : port_(port), readers_(viewers), wanted_(viewers + stuck), poll_(epoll_create1(EPOLL_CLOEXEC)) {}
    ~Crowd() { close(poll_); }
    Crowd(const Crowd&) = delete;
    Crowd& operator=(const Crowd&) = delete;

    /// Lets all in, a few at a time. Those that never read come last.
    void enter() {
        const auto limit = Steady::now() + std::chrono::seconds(60);
        while (Steady::now() < limit) {
            const auto welcome = static_cast<std::size_t>(
                std::ranges::count_if(all_, [](const auto& viewer) { return viewer->welcome(); }));
            while (all_.size() < wanted_ && all_.size() < welcome + kAtTheDoor) add();
            if (all_.size() == wanted_ && welcome >= readers_) return;
            turn(beginning_, 10);
        }
    }

    void watch(double seconds, double stuckReadsAfter) {
        begin_ = Steady::now();
        const auto warm = begin_ + std::chrono::seconds(1);
        const auto end = begin_ + std::chrono::duration<double>(seconds);
        while (Steady::now() < end) {
            if (!stuckReads_ && sinceBegin() >= stuckReadsAfter) {
                stuckReads_ = true;
                for (std::size_t i = readers_; i < all_.size(); ++i) listen(EPOLL_CTL_MOD, i, EPOLLIN);
            }
            turn(Steady::now() < warm ? beginning_ : delays_, 100);
        }
    }

    void print() {
        std::uint32_t fewest = ~0U;
        std::uint32_t missing = 0;
        std::uint32_t drops = 0;
        int closeCode = 0;  // of one that was ended; 0: without a close frame
        std::size_t lost = wanted_ - all_.size();
        for (std::size_t i = 0; i < std::min(readers_, all_.size()); ++i) {
            fewest = std::min(fewest, all_[i]->pictures());
            missing += all_[i]->missing();
            drops += all_[i]->drops();
            lost += all_[i]->ended() ? 1 : 0;
            if (all_[i]->ended()) closeCode = all_[i]->closeCode();
        }
        std::printf(
            "{\"viewers\":%zu,\"stuck\":%zu,\"pictures\":%zu,\"fewest\":%u,\"missing\":%u,\"drops\":%u,"
            "\"ended\":%zu,\"close_code\":%d,\"p50_ms\":%.2f,\"p99_ms\":%.2f,\"max_ms\":%.2f,\"stuck_ended_"
            "after_s\":%.1f,"
            "\"stuck_close_code\":%d}\n",
            readers_, wanted_ - readers_, delays_.size(), fewest, missing, drops, lost, closeCode,
            percentile(delays_, 0.5), percentile(delays_, 0.99), percentile(delays_, 1), stuckEndedAfter_,
            wanted_ > readers_ && !all_.empty() ? all_.back()->closeCode() : 0);
    }

  private:
    [[nodiscard]] double sinceBegin() const {
        return std::chrono::duration<double>(Steady::now() - begin_).count();
    }

    void add() {
        all_.push_back(std::make_unique<Viewer>(port_));
        const std::size_t index = all_.size() - 1;
        listen(EPOLL_CTL_ADD, index, EPOLLIN);
    }

    void listen(int operation, std::size_t index, std::uint32_t events) const {
        epoll_event event{};
        event.events = events;
        event.data.u64 = index;
        epoll_ctl(poll_, operation, all_[index]->descriptor(), &event);
    }

    void turn(std::vector<double>& delays, int milliseconds) {
        std::array<epoll_event, 512> events;
        const int count = epoll_wait(poll_, events.data(), static_cast<int>(events.size()), milliseconds);
        for (int i = 0; i < count; ++i) {
            const epoll_event& event = events[static_cast<std::size_t>(i)];
            const auto index = static_cast<std::size_t>(event.data.u64);
            Viewer& viewer = *all_[index];
            const bool isStuck = index >= readers_;
            const bool ends = (event.events & (EPOLLERR | EPOLLHUP)) != 0;
            if (!isStuck || (event.events & EPOLLIN) != 0) viewer.read(isStuck ? beginning_ : delays);
            // Once it has asked for its stream, only its end is seen: epoll tells of errors unasked.
            if (isStuck && viewer.upgraded() && !stuckReads_) listen(EPOLL_CTL_MOD, index, 0);
            if (!viewer.ended() && !(isStuck && ends)) continue;
            if (isStuck) stuckEndedAfter_ = sinceBegin();
            epoll_ctl(poll_, EPOLL_CTL_DEL, viewer.descriptor(), nullptr);
        }
    }

    const int port_;
    const std::size_t readers_;  ///< the first of all_
    const std::size_t wanted_;
    const int poll_;
    std::vector<std::unique_ptr<Viewer>> all_;
    std::vector<double> beginning_;  ///< delays that do not count
    std::vector<double> delays_;
    Steady::time_point begin_ = Steady::now();
    double stuckEndedAfter_ = -1;
    bool stuckReads_ = false;
};

}  // namespace

int main(int argc, char** argv) {
    int port = 0;
    std::size_t viewers = 100;
    std::size_t stuck = 0;
    double seconds = 15;
    double stuckReadsAfter = 1e9;
    bool announce = false;
    CLI::App app("Watches one stream many times.");
    app.add_option("--port", port)->required();
    app.add_option("--viewers", viewers, "that read");
    app.add_option("--stuck", stuck, "that never read");
    app.add_option("--stuck-read-after", stuckReadsAfter, "seconds");
    app.add_option("--seconds", seconds, "once all have come in; the first one does not count");
    app.add_flag("--announce", announce, "says when all have come in, by a line of its own");
    CLI11_PARSE(app, argc, argv);

    Crowd crowd(port, viewers, stuck);
    crowd.enter();
    if (announce) {
        std::printf("{\"entered\":%zu}\n", viewers + stuck);
        std::fflush(stdout);
    }
    crowd.watch(seconds, stuckReadsAfter);
    crowd.print();
    return 0;
}
