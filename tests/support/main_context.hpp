// Waiting in tests that need the GLib main loop: turns it until something is true or the time is over.
#pragma once

#include <glib.h>

#include <chrono>

namespace edgecam::test {

/// Runs the default main context until `predicate` holds. False when the limit passed first; a limit is there
/// to end a broken test, never to decide a good one. The predicate is asked after every event and at least
/// every 10 ms.
template <class Predicate>
bool waitUntil(Predicate predicate, std::chrono::milliseconds limit) {
    const auto end = std::chrono::steady_clock::now() + limit;
    const guint waker = g_timeout_add(
        10, [](gpointer) -> gboolean { return G_SOURCE_CONTINUE; }, nullptr);
    bool holds = predicate();
    while (!holds && std::chrono::steady_clock::now() < end) {
        g_main_context_iteration(nullptr, TRUE);
        holds = predicate();
    }
    g_source_remove(waker);
    return holds;
}

}  // namespace edgecam::test
