// RelayPipe: one end of the socket pair between the agent and the process of its viewers: whole messages out
// from any thread, whole messages in on the one thread that serves it. It knows no message.
#pragma once

#include <atomic>
#include <cstdint>
#include <deque>
#include <functional>
#include <mutex>

#include "base/bytes.hpp"
#include "base/clock.hpp"

namespace edgecam::uplink {

class RelayPipe {
  public:
    /// Takes the socket. A message from the other side may have `mostIn` bytes; beyond that the pipe is
    /// broken.
    RelayPipe(int socket, std::size_t mostIn);
    ~RelayPipe();
    RelayPipe(const RelayPipe&) = delete;
    RelayPipe& operator=(const RelayPipe&) = delete;

    /// Any thread, never blocks. What waits is bounded by whoever sends: see waiting().
    void send(const ByteBuffer& message);
    /// Bytes that the socket has not taken yet. Any thread.
    [[nodiscard]] std::size_t waiting() const { return waiting_.load(std::memory_order_relaxed); }
    /// Any thread: serve() returns soon.
    void wake();

    /// Reads, writes and waits, for `longest` at most, until something came or wake() was called. Hands over
    /// whole messages. False: the other side is gone, or broke the rules.
    bool serve(Microseconds longest, const std::function<void(ByteView message)>& take);

  private:
    bool readSome(const std::function<void(ByteView message)>& take);
    bool writeSome();

    const int socket_;
    const int wakeUp_;  ///< an eventfd
    const std::size_t mostIn_;
    std::atomic<std::size_t> waiting_{0};
    std::mutex mutex_;
    std::deque<ByteBuffer> out_;  ///< each with its length before it
    std::size_t written_ = 0;     ///< of the first
    ByteBuffer in_;
    std::size_t filled_ = 0;  ///< of in_; what is behind is room
};

}  // namespace edgecam::uplink
