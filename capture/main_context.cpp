#include "capture/main_context.hpp"

#include <utility>

namespace edgecam::capture {

GSourceFuncs MainSignal::functions_{nullptr, nullptr, &MainSignal::dispatch, nullptr, nullptr, nullptr};

MainSignal::MainSignal(std::function<void()> act)
    : act_(std::move(act)), source_(g_source_new(&functions_, sizeof(GSource))) {
    g_source_set_callback(source_, nullptr, this, nullptr);
    g_source_attach(source_, nullptr);
}

MainSignal::~MainSignal() {
    g_source_destroy(source_);
    g_source_unref(source_);
}

gboolean MainSignal::dispatch(GSource* source, GSourceFunc, gpointer self) noexcept {
    g_source_set_ready_time(source, -1);
    static_cast<MainSignal*>(self)->act_();
    return G_SOURCE_CONTINUE;
}

MainTimer::MainTimer(std::chrono::milliseconds interval, std::function<void()> act)
    : act_(std::move(act)), source_(g_timeout_source_new(static_cast<guint>(interval.count()))) {
    g_source_set_callback(source_, &MainTimer::fire, this, nullptr);
    g_source_attach(source_, nullptr);
}

MainTimer::~MainTimer() {
    g_source_destroy(source_);
    g_source_unref(source_);
}

gboolean MainTimer::fire(gpointer self) noexcept {
    static_cast<MainTimer*>(self)->act_();
    return G_SOURCE_CONTINUE;
}

}  // namespace edgecam::capture
