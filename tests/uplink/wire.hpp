// Wire: one TCP connection on loopback that speaks RFC 6455 by hand, from either end, so that a test can also
// send what no decent peer would. Every wait has a deadline.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace edgecam::test {

struct WireFrame {
    int opcode = 0;  ///< 1 text, 2 binary, 8 close, 9 ping, 10 pong
    bool fin = true;
    std::string payload;

    /// Of a close frame; 1005 when it has none.
    [[nodiscard]] int closeCode() const;
};

class Wire {
  public:
    /// Connects to 127.0.0.1. `receiveBuffer`: bytes, 0 for the system's. Fails the test when it cannot.
    static Wire dial(int port, int receiveBuffer = 0);
    /// The same as a peer at this address of loopback, e.g. "127.0.0.2".
    static Wire dialFrom(const char* address, int port);
    /// Adopts a connected descriptor. `masks`: as a client must.
    Wire(int descriptor, bool masks);
    Wire(Wire&& other) noexcept;
    Wire& operator=(Wire&&) = delete;
    ~Wire();

    void send(std::string_view bytes);
    void sendFrame(int opcode, std::string_view payload, bool fin = true);
    void sendText(std::string_view text) { sendFrame(1, text); }

    /// The head of an HTTP message up to and with its empty line; what came when the time was over.
    std::string readHead();
    /// Everything until the other side ends.
    std::string readAll();
    /// Nothing: the other side ended, or the time was over. Pings are answered by the caller or not at all.
    std::optional<WireFrame> nextFrame();
    /// The next text message that holds `part`, others are skipped; empty when there is none.
    std::string textWith(std::string_view part);
    /// Skips frames up to the close frame, answers it and gives its code; 1006 when the connection just
    /// ended.
    int closeCode();
    /// Whether the other side resets the connection in time, without anything being read from it.
    bool isReset(std::chrono::milliseconds limit = std::chrono::seconds(10));

    /// The client's handshake for `path`; `more`: header lines, each with CR LF. Gives the response's head.
    std::string upgrade(std::string_view path = "/v1/stream", std::string_view more = {},
                        std::string_view host = "127.0.0.1");
    /// The same without waiting for the response.
    void askUpgrade(std::string_view path = "/v1/stream", std::string_view more = {},
                    std::string_view host = "127.0.0.1");
    bool answersWithin(std::chrono::milliseconds limit);
    /// The server's side of the handshake. Gives the request's head; answers with `extra` header lines.
    std::string acceptUpgrade(std::string_view extra = {});

  private:
    bool fill();

    int descriptor_;
    bool masks_;
    std::string buffered_;
};

/// A listening socket on 127.0.0.1 with a free port.
class Listener {
  public:
    Listener();
    ~Listener();
    Listener(const Listener&) = delete;
    Listener& operator=(const Listener&) = delete;

    [[nodiscard]] int port() const { return port_; }
    /// The next connection; nothing when none comes in time.
    std::optional<Wire> accept(std::chrono::milliseconds limit = std::chrono::seconds(10));

  private:
    int descriptor_;
    int port_ = 0;
};

}  // namespace edgecam::test
