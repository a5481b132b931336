// MessageBatch: messages of one lane that a peer wants together, until the first of them has waited long
// enough. Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/clock.hpp"
#include "uplink/wire_message.hpp"

namespace edgecam::uplink {

/// Not thread-safe.
class MessageBatch {
  public:
    /// A batch goes out when it has so many bytes, however short it waited.
    static constexpr std::size_t kMaxBytes = 32 << 10;

    /// `text` is a whole message. `mark` as in WireMessage; the highest counts for the batch.
    void add(std::string_view text, std::int64_t mark, Monotonic dueAt);
    [[nodiscard]] bool empty() const { return count_ == 0; }
    [[nodiscard]] bool due(Monotonic now) const;
    /// All of it as one message, empty afterwards: the message itself when it is only one, else a `batch`;
    /// with `deflate` as a binary message of kind 5 where that is smaller. Not for an empty batch.
    WireMessage take(bool deflate);

  private:
    std::string texts_;  ///< joined by commas
    std::size_t count_ = 0;
    std::int64_t mark_ = 0;
    Monotonic dueAt_{};
};

}  // namespace edgecam::uplink
