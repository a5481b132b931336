// ListeningSocket: the server's port. Bound here and not by libwebsockets, which hides why it could not.
#pragma once

#include <string>

#include "base/result.hpp"

namespace edgecam::uplink {

/// Owns the descriptor.
class ListeningSocket {
  public:
    /// `address`: numeric IPv4 or IPv6, or "*" for every address of both families. `port` 0: any free one.
    /// Fails with a sentence that says which address and why: in use, not ours, not allowed.
    static Result<ListeningSocket> open(const std::string& address, int port);

    /// One that somebody else has bound and that listens.
    static Result<ListeningSocket> adopt(int descriptor);

    ListeningSocket(ListeningSocket&& other) noexcept;
    ListeningSocket& operator=(ListeningSocket&&) = delete;
    ~ListeningSocket();

    [[nodiscard]] int descriptor() const { return descriptor_; }
    /// The real one.
    [[nodiscard]] int port() const { return port_; }
    /// Hands the descriptor to the caller.
    int release();

  private:
    ListeningSocket(int descriptor, int port) : descriptor_(descriptor), port_(port) {}

    int descriptor_;
    int port_;
};

}  // namespace edgecam::uplink
