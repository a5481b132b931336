// WebsocketLoop: one libwebsockets context and the thread that serves it. It turns the poll loop, the wake-up
// from other threads and the one timer into plain calls to its owner. It knows no peer and no message.
#pragma once

#include <atomic>
#include <latch>
#include <memory>
#include <optional>
#include <string>
#include <thread>

#include "base/clock.hpp"
#include "base/heartbeat.hpp"
#include "base/result.hpp"
#include "uplink/service_timer.hpp"

struct lws_context;

namespace edgecam::uplink {

class WebsocketLoop {
  public:
    /// Whose loop it is. Every call comes on the loop's thread, outside any libwebsockets callback, so that
    /// connections may be closed and opened in it.
    class Owner {
      public:
        virtual ~Owner() = default;
        virtual void woken() = 0;   ///< after one or more wake()
        virtual void ticked() = 0;  ///< every kTick
        /// The loop is about to end: say good-bye to the peers. Once.
        virtual void farewell() = 0;
        /// Nothing is left to be said; asked after farewell().
        [[nodiscard]] virtual bool silent() const = 0;
    };

    static constexpr Microseconds kTick = std::chrono::milliseconds(100);
    /// How long the destructor lets the owner say good-bye.
    static constexpr Microseconds kFarewell = std::chrono::milliseconds(1500);

    struct Settings {
        std::string threadName;       ///< at most 15 characters, for `top -H` and the debugger
        unsigned maxDescriptors = 0;  ///< sockets the context may hold, its own few included; 0: no own limit
        /// What lws_context_user() gives in callbacks; null: the owner as a WebsocketLoop::Owner.
        void* callbackUser = nullptr;
    };

    /// Makes the context on the calling thread, so that what fails is told; nothing runs before start().
    /// `owner` must outlive the loop.
    static Result<std::unique_ptr<WebsocketLoop>> create(Settings settings, Owner& owner);
    ~WebsocketLoop() { end(); }
    WebsocketLoop(const WebsocketLoop&) = delete;
    WebsocketLoop& operator=(const WebsocketLoop&) = delete;

    /// For making virtual hosts before start(), and in callbacks.
    [[nodiscard]] lws_context* context() const { return context_; }
    /// The loop's thread only.
    ServiceTimers& timers() { return *timers_; }
    /// For a call that may block the loop's thread for long and with good reason.
    Heartbeat& heart() { return heart_; }
    void start();
    /// Lets the owner say good-bye (at most kFarewell), then ends every connection and joins the thread. An
    /// owner whose callbacks use the loop calls it before it lets go of the loop.
    void end();
    /// Any thread, never blocks; not after end() began.
    void wake();

  private:
    WebsocketLoop(Settings settings, Owner& owner);
    void run();
    void serveOnce();

    const Settings settings_;
    Owner& owner_;
    lws_context* context_ = nullptr;
    std::optional<ServiceTimers> timers_;  ///< with the context
    std::optional<ServiceTimer> tick_;     ///< from start() on
    std::atomic<bool> woken_{false};
    std::atomic<bool> ending_{false};
    Heartbeat heart_;
    std::latch lastWake_{1};  ///< the context lives until end()'s own wake-up is through
    std::thread thread_;
};

}  // namespace edgecam::uplink
