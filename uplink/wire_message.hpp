// WireMessage: one WebSocket message, ready to be written, shared by every peer it goes to. In front of its
// bytes lies the headroom into which libwebsockets writes the frame header (LWS_PRE), so that nothing is
// copied.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>

#include "base/bytes.hpp"
#include "base/clock.hpp"

namespace edgecam::uplink {

/// Cheap to copy: a reference to shared bytes. The bytes are never changed after construction, but for the
/// headroom, which belongs to the one service thread that writes the message.
class WireMessage {
  public:
    static constexpr std::size_t kHeadroom =
        16;  ///< LWS_PRE of libwebsockets 4; checked where it is included

    /// `mark`: the seq of the durable event in it; negative: with it that one's snapshot is whole; 0:
    /// neither.
    static WireMessage text(std::string_view json, std::int64_t mark = 0);
    /// `head` and `body` laid end to end. `madeAt`: of a chunk that ends with this message (Chunk::madeAt).
    static WireMessage binary(ByteView head, ByteView body, std::int64_t mark = 0,
                              std::optional<Monotonic> madeAt = {});

    [[nodiscard]] bool isBinary() const { return binary_; }
    [[nodiscard]] std::int64_t mark() const { return mark_; }
    [[nodiscard]] std::optional<Monotonic> madeAt() const { return madeAt_; }
    [[nodiscard]] std::size_t size() const { return buffer_->size() - kHeadroom; }
    [[nodiscard]] ByteView bytes() const { return ByteView(*buffer_).subspan(kHeadroom); }
    /// For lws_write: the first byte of the payload, with kHeadroom writable bytes before it.
    [[nodiscard]] std::uint8_t* payload() const { return buffer_->data() + kHeadroom; }

  private:
    WireMessage(bool binary, ByteView head, ByteView body, std::int64_t mark,
                std::optional<Monotonic> madeAt);

    bool binary_;
    std::int64_t mark_;
    std::optional<Monotonic> madeAt_;
    std::shared_ptr<ByteBuffer> buffer_;
};

}  // namespace edgecam::uplink
