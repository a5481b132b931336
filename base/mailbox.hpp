// Mailbox: one slot between a fast producer and a slower consumer; the newest item replaces an older one.
// This is how "fresh or nothing" is said in code: nothing can queue up, so latency cannot either.
#pragma once

#include <cstdint>
#include <functional>
#include <mutex>
#include <optional>
#include <utility>

namespace edgecam {

/// Thread-safe. One or many producers, one consumer.
template <class T>
class Mailbox {
  public:
    /// `filled`: called after each item was put in, on the producer's thread and without a lock, for who
    /// waits for many boxes at once; may be empty.
    explicit Mailbox(std::function<void()> filled = {}) : filled_(std::move(filled)) {}

    /// Never blocks, as far as `filled` does not. What lay in the slot unread is dropped and counted.
    void put(T item) {
        std::optional<T> replaced;  // destroyed outside the lock: it may own a big buffer
        {
            const std::lock_guard lock(mutex_);
            if (slot_) ++replacedCount_;
            replaced = std::exchange(slot_, std::optional<T>(std::move(item)));
        }
        if (filled_) filled_();
    }

    /// What is in the box, taken out; nothing: it was empty. Never blocks.
    std::optional<T> take() {
        const std::lock_guard lock(mutex_);
        return std::exchange(slot_, std::nullopt);
    }

    [[nodiscard]] bool full() const {
        const std::lock_guard lock(mutex_);
        return slot_.has_value();
    }

    /// How many items were replaced before anybody looked at them.
    [[nodiscard]] std::uint64_t replaced() const {
        const std::lock_guard lock(mutex_);
        return replacedCount_;
    }

  private:
    const std::function<void()> filled_;
    mutable std::mutex mutex_;
    std::optional<T> slot_;
    std::uint64_t replacedCount_ = 0;
};

}  // namespace edgecam
