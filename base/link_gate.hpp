// LinkGate: where an encoder asks, before each picture, whether a link could take it while it is fresh. The
// link's thread says what waits for it and how much may. It knows neither of them.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <limits>

namespace edgecam {

/// Thread-safe: one thread is the link's, another one the encoder's. What is read may be a moment old.
class LinkGate {
  public:
    // The link's.
    /// Bytes that may wait, in all; at first any number.
    void allow(std::size_t bytes) { allowed_ = bytes; }
    /// Bytes that wait now, acknowledged ones no more.
    void waits(std::size_t bytes) { waiting_ = bytes; }
    /// How many pictures were refused since it was asked last.
    std::uint32_t takeRefused() { return refused_.exchange(0); }

    // The encoder's.
    /// To be asked once for each picture.
    bool takes() {
        if (waiting_ <= allowed_) return true;
        ++refused_;
        return false;
    }
    /// So much more is on its way to the link.
    void coded(std::size_t bytes) { waiting_ += bytes; }

  private:
    std::atomic<std::size_t> allowed_{std::numeric_limits<std::size_t>::max()};
    std::atomic<std::size_t> waiting_{0};
    std::atomic<std::uint32_t> refused_{0};
};

}  // namespace edgecam
