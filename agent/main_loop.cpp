#include "agent/main_loop.hpp"

#include <glib-unix.h>

#include <algorithm>
#include <csignal>
#include <utility>

namespace edgecam::agent {
namespace {

gboolean runTask(gpointer task) noexcept {
    (*static_cast<std::function<void()>*>(task))();
    return G_SOURCE_REMOVE;
}

gboolean runAgain(gpointer task) noexcept {
    (*static_cast<std::function<void()>*>(task))();
    return G_SOURCE_CONTINUE;
}

void deleteTask(gpointer task) noexcept {
    delete static_cast<std::function<void()>*>(task);
}

gboolean quitLoop(gpointer loop) noexcept {
    g_main_loop_quit(static_cast<GMainLoop*>(loop));
    return G_SOURCE_CONTINUE;
}

}  // namespace

MainLoop::MainLoop()
    : loop_(g_main_loop_new(nullptr, FALSE)),
      interrupt_(g_unix_signal_add(SIGINT, quitLoop, loop_)),
      terminate_(g_unix_signal_add(SIGTERM, quitLoop, loop_)) {}

MainLoop::~MainLoop() {
    if (interrupt_ != 0) g_source_remove(interrupt_);
    if (terminate_ != 0) g_source_remove(terminate_);
    if (hangup_ != 0) g_source_remove(hangup_);
    g_main_loop_unref(loop_);
}

void MainLoop::run() {
    g_main_loop_run(loop_);
    // From here on a second signal ends the process at once.
    g_source_remove(std::exchange(interrupt_, 0));
    g_source_remove(std::exchange(terminate_, 0));
}

void MainLoop::quit() {
    g_main_loop_quit(loop_);
}

void MainLoop::onHangup(std::function<void()> task) {
    hungUp_ = std::move(task);
    hangup_ = g_unix_signal_add(SIGHUP, runAgain, &hungUp_);
}

void MainLoop::post(std::function<void()> task) {
    // Always queued, also when posted from the main thread itself: order is the promise.
    g_idle_add_full(G_PRIORITY_DEFAULT, runTask, new std::function<void()>(std::move(task)), deleteTask);
}

MainLoop::Timer::Timer(Microseconds interval, std::function<void()> task)
    : task_(std::move(task)),
      id_(g_timeout_add(static_cast<guint>(std::max<std::int64_t>(interval.count() / 1000, 1)), runAgain,
                        &task_)) {}

MainLoop::Timer::~Timer() {
    g_source_remove(id_);
}

}  // namespace edgecam::agent
