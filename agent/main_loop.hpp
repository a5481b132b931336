// MainLoop: the main thread's loop, and the one way in for other threads: post(). Over GLib's default
// context, which GStreamer's bus and the cameras' timers use too.
#pragma once

#include <glib.h>

#include <functional>
#include <memory>

#include "base/clock.hpp"

namespace edgecam::agent {

class MainLoop {
  public:
    MainLoop();
    ~MainLoop();
    MainLoop(const MainLoop&) = delete;
    MainLoop& operator=(const MainLoop&) = delete;

    /// Turns until quit(). On SIGINT or SIGTERM it quits by itself; once it has, these do what they always
    /// do. Call it once.
    void run();
    void quit();

    /// Runs `task` on the main thread at every SIGHUP from now on, which then ends the process no more. Call
    /// it once.
    void onHangup(std::function<void()> task);

    /// Thread-safe, never blocks: `task` runs on the main thread, after all that was posted before it.
    void post(std::function<void()> task);

    /// Runs `task` on the main thread every `interval` (at least 1 ms) until the timer is destroyed there.
    class Timer {
      public:
        Timer(Microseconds interval, std::function<void()> task);
        ~Timer();
        Timer(const Timer&) = delete;
        Timer& operator=(const Timer&) = delete;

      private:
        std::function<void()> task_;
        guint id_;
    };

  private:
    GMainLoop* loop_;
    guint interrupt_;
    guint terminate_;
    guint hangup_ = 0;
    std::function<void()> hungUp_;
};

}  // namespace edgecam::agent
