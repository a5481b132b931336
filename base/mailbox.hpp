// Mailbox: one slot between a fast producer and a slower consumer; the newest item replaces an older one.
// This is how "fresh or nothing" is said in code: nothing can queue up, so latency cannot either.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <optional>
#include <utility>

namespace edgecam {

/// Thread-safe. One or many producers, one consumer.
template <class T>
class Mailbox {
  public:
    /// Never blocks. What lay in the slot unread is dropped and counted.
    void put(T item) {
        std::optional<T> replaced;  // destroyed outside the lock: it may own a big buffer
        {
            const std::lock_guard lock(mutex_);
            if (closed_) return;
            if (slot_) ++replacedCount_;
            replaced = std::exchange(slot_, std::optional<T>(std::move(item)));
        }
        filled_.notify_one();
    }

    /// Blocks until there is an item (taken out), the time is over, or the box is closed (nothing).
    template <class Rep, class Period>
    std::optional<T> takeWithin(std::chrono::duration<Rep, Period> limit) {
        std::unique_lock lock(mutex_);
        filled_.wait_for(lock, limit, [this] { return slot_.has_value() || closed_; });
        return std::exchange(slot_, std::nullopt);
    }

    /// Wakes the consumer; items are ignored from now on, until reopen().
    void close() {
        {
            const std::lock_guard lock(mutex_);
            closed_ = true;
            slot_.reset();
        }
        filled_.notify_all();
    }

    /// For another consumer, once the one that was woken by close() is gone.
    void reopen() {
        const std::lock_guard lock(mutex_);
        closed_ = false;
    }

    [[nodiscard]] bool closed() const {
        const std::lock_guard lock(mutex_);
        return closed_;
    }

    /// How many items were replaced before anybody looked at them.
    [[nodiscard]] std::uint64_t replaced() const {
        const std::lock_guard lock(mutex_);
        return replacedCount_;
    }

  private:
    mutable std::mutex mutex_;
    std::condition_variable filled_;
    std::optional<T> slot_;
    std::uint64_t replacedCount_ = 0;
    bool closed_ = false;
};

}  // namespace edgecam
