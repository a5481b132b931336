// ServiceTimers: what a libwebsockets context's thread has to do later, and ServiceTimer, one such thing.
// libwebsockets' own timers make its poll return up to a millisecond early, and then turn without a pause
// until they are due: a third of what passing a camera through to a viewer cost. These are called early
// instead. They know nothing of what they are for.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <utility>

#include "base/clock.hpp"

struct lws_context;

namespace edgecam::uplink {

class ServiceTimer;

/// Thread-bound (the context's service thread) but for its making.
class ServiceTimers {
  public:
    /// poll() counts in milliseconds, rounded down: what is due within one is called now.
    static constexpr Microseconds kEarly = std::chrono::milliseconds(1);

    explicit ServiceTimers(lws_context* context);
    ~ServiceTimers();
    ServiceTimers(const ServiceTimers&) = delete;
    ServiceTimers& operator=(const ServiceTimers&) = delete;

    /// Calls what is due; before each turn of the poll loop, outside any callback.
    void ring();
    /// The context is about to be destroyed: nothing is called any more.
    void end();

  private:
    friend class ServiceTimer;
    struct Alarm;
    using Due = std::pair<Monotonic, ServiceTimer*>;

    void wakePoll();

    lws_context* const context_;
    std::set<Due> due_;
    std::optional<Monotonic> alarmAt_;
    const std::unique_ptr<Alarm> alarm_;  ///< libwebsockets keeps its address
    bool ended_ = false;
};

/// Thread-bound as its timers, which must outlive it.
class ServiceTimer {
  public:
    /// `expired` is called from the loop, outside any callback of a socket; it may start the timer again.
    ServiceTimer(ServiceTimers& timers, std::function<void()> expired)
        : timers_(timers), expired_(std::move(expired)) {}
    ~ServiceTimer() { stop(); }
    ServiceTimer(const ServiceTimer&) = delete;
    ServiceTimer& operator=(const ServiceTimer&) = delete;

    /// Once, after `delay` from now on, up to a millisecond early; a start before is forgotten.
    void start(Microseconds delay);
    [[nodiscard]] bool running() const { return due_.has_value(); }

  private:
    friend class ServiceTimers;
    void stop();

    ServiceTimers& timers_;
    const std::function<void()> expired_;
    std::optional<Monotonic> due_;
};

}  // namespace edgecam::uplink
