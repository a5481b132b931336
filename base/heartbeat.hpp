// Heartbeat: the sign that a loop gives of itself each time it turns, and the one list of all loops that
// there are. It judges nothing: whoever watches compares.
#pragma once

#include <atomic>
#include <cstdint>
#include <string>
#include <vector>

namespace edgecam {

/// Lives as long as its loop runs, in any thread. A beat costs one addition in memory that is the loop's own.
class Heartbeat {
  public:
    /// `name`: for the log, e.g. "journal".
    explicit Heartbeat(std::string name);
    ~Heartbeat();
    Heartbeat(const Heartbeat&) = delete;
    Heartbeat& operator=(const Heartbeat&) = delete;

    /// The loop turns. Its thread, once a turn and at least every few seconds.
    void beat() { turns_.fetch_add(1, std::memory_order_relaxed); }

    /// While this lives the loop may stand still: it waits for what has limits of its own that no new start
    /// of the program would change, a name lookup for example. The loop's thread.
    class Rest {
      public:
        explicit Rest(Heartbeat& heart) : heart_(heart) {
            heart_.resting_.store(true, std::memory_order_relaxed);
        }
        ~Rest() {
            heart_.beat();
            heart_.resting_.store(false, std::memory_order_relaxed);
        }
        Rest(const Rest&) = delete;
        Rest& operator=(const Rest&) = delete;

      private:
        Heartbeat& heart_;
    };

    /// What one of them shows.
    struct Sign {
        std::uint64_t id = 0;  ///< never given twice
        std::string name;
        std::uint64_t turns = 0;
        bool resting = false;
    };
    /// Any thread: all loops that there are, in the order in which they began.
    static std::vector<Sign> all();

  private:
    const std::string name_;
    std::uint64_t id_ = 0;
    std::atomic<std::uint64_t> turns_{0};
    std::atomic<bool> resting_{false};
};

}  // namespace edgecam
