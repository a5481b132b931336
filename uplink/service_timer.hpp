// ServiceTimer: one timer on a libwebsockets context's thread. It knows nothing of what it is for.
#pragma once

#include <functional>
#include <memory>

#include "base/clock.hpp"

struct lws_context;

namespace edgecam::uplink {

/// Thread-bound (its context's service thread); ends before its context. Exact to about a millisecond, since
/// the poll loop is.
class ServiceTimer {
  public:
    /// `expired` is called from the loop, outside any callback of a socket; it may start the timer again.
    ServiceTimer(lws_context* context, std::function<void()> expired);
    ~ServiceTimer();
    ServiceTimer(const ServiceTimer&) = delete;
    ServiceTimer& operator=(const ServiceTimer&) = delete;

    /// Once, after `delay` from now on; a start before is forgotten.
    void start(Microseconds delay);
    [[nodiscard]] bool running() const { return running_; }

  private:
    struct Node;

    lws_context* const context_;
    const std::function<void()> expired_;
    bool running_ = false;
    const std::unique_ptr<Node> node_;  ///< libwebsockets keeps its address
};

}  // namespace edgecam::uplink
