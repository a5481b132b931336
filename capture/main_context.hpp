// How the default GLib context is reached: a signal that any thread may give, and a timer. Both stop for good
// when they are destroyed.
#pragma once

#include <glib.h>

#include <chrono>
#include <functional>

namespace edgecam::capture {

/// Runs `act` on the main thread soon after notify(); many notifications before that are one. Created and
/// destroyed on the main thread; notify() is thread-safe. `act` must not destroy the signal.
class MainSignal {
  public:
    explicit MainSignal(std::function<void()> act);
    ~MainSignal();
    MainSignal(const MainSignal&) = delete;
    MainSignal& operator=(const MainSignal&) = delete;

    void notify() noexcept { g_source_set_ready_time(source_, 0); }

  private:
    static gboolean dispatch(GSource* source, GSourceFunc, gpointer self) noexcept;
    static GSourceFuncs functions_;

    std::function<void()> act_;
    GSource* source_;
};

/// Runs `act` on the main thread again and again. Thread-bound (main). `act` must not destroy the timer.
class MainTimer {
  public:
    MainTimer(std::chrono::milliseconds interval, std::function<void()> act);
    ~MainTimer();
    MainTimer(const MainTimer&) = delete;
    MainTimer& operator=(const MainTimer&) = delete;

  private:
    static gboolean fire(gpointer self) noexcept;

    std::function<void()> act_;
    GSource* source_;
};

}  // namespace edgecam::capture
