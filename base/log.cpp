#include "base/log.hpp"

#include <glib.h>
#include <unistd.h>

#include <atomic>
#include <cstdio>
#include <ctime>
#include <deque>
#include <utility>

#include "base/foreign_words.hpp"

namespace edgecam {
namespace {

std::atomic<LogLevel> leastUrgent{LogLevel::info};

GLogLevelFlags glibLevel(LogLevel level) {
    switch (level) {
        // GLib's own word for "error" aborts the process; critical is journald's PRIORITY 4, message 5.
        case LogLevel::error:
            return G_LOG_LEVEL_CRITICAL;
        case LogLevel::warning:
            return G_LOG_LEVEL_WARNING;
        case LogLevel::info:
            return G_LOG_LEVEL_MESSAGE;
        case LogLevel::debug:
            return G_LOG_LEVEL_DEBUG;
    }
    return G_LOG_LEVEL_MESSAGE;
}

const char* wordFor(GLogLevelFlags level) {
    if ((level & (G_LOG_LEVEL_ERROR | G_LOG_LEVEL_CRITICAL)) != 0) return "error";
    if ((level & G_LOG_LEVEL_WARNING) != 0) return "warning";
    if ((level & G_LOG_LEVEL_DEBUG) != 0) return "debug";
    return "info";
}

const char* fieldNamed(const GLogField* fields, gsize count, const char* name) {
    for (gsize i = 0; i < count; ++i) {
        if (g_strcmp0(fields[i].key, name) == 0) return static_cast<const char*>(fields[i].value);
    }
    return nullptr;
}

GLogWriterOutput writePlain(GLogLevelFlags level, const GLogField* fields, gsize count) {
    const char* area = fieldNamed(fields, count, "GLIB_DOMAIN");
    const char* line = fieldNamed(fields, count, "MESSAGE");
    timespec now{};
    clock_gettime(CLOCK_REALTIME, &now);
    tm calendar{};
    gmtime_r(&now.tv_sec, &calendar);
    // One fprintf is one write: stderr is locked for the call, so lines of two threads do not mix.
    std::fprintf(stderr, "%02d:%02d:%02d.%03ldZ %-7s %s: %s\n", calendar.tm_hour, calendar.tm_min,
                 calendar.tm_sec, now.tv_nsec / 1'000'000, wordFor(level), area != nullptr ? area : "-",
                 line != nullptr ? line : "");
    return G_LOG_WRITER_HANDLED;
}

GLogWriterOutput writeFields(GLogLevelFlags level, const GLogField* fields, gsize count, gpointer toJournal) {
    if ((level & G_LOG_LEVEL_DEBUG) != 0 && leastUrgent.load() < LogLevel::debug) return G_LOG_WRITER_HANDLED;
    if (toJournal != nullptr &&
        g_log_writer_journald(level, fields, count, nullptr) == G_LOG_WRITER_HANDLED) {
        return G_LOG_WRITER_HANDLED;
    }
    return writePlain(level, fields, count);
}

class Recent {
  public:
    static Recent& only() {
        static auto* const recent = new Recent;  // threads may have words to say when the process ends
        return *recent;
    }
    void add(LogLevel level, const char* area, const std::string& line) {
        LogLine entry{SystemClock().utc(), level, area, harmless(line, kMostOfLine)};
        const std::lock_guard lock(mutex_);
        lines_.push_back(std::move(entry));
        if (lines_.size() > kRecentLines) lines_.pop_front();
    }
    [[nodiscard]] std::vector<LogLine> lines() const {
        const std::lock_guard lock(mutex_);
        return {lines_.begin(), lines_.end()};
    }

  private:
    mutable std::mutex mutex_;
    std::deque<LogLine> lines_;
};

}  // namespace

const char* nameOf(LogLevel level) {
    switch (level) {
        case LogLevel::error:
            return "error";
        case LogLevel::warning:
            return "warning";
        case LogLevel::info:
            return "info";
        case LogLevel::debug:
            return "debug";
    }
    return "info";
}

LogLevel leastLogged() {
    return leastUrgent.load();
}

void startLog(LogLevel least) {
    leastUrgent = least;
    static int journal = 1;
    static std::once_flag once;  // GLib takes a writer once in the life of a process
    std::call_once(once, [] {
        const bool toJournal = g_log_writer_is_journald(STDERR_FILENO) != 0;
        g_log_set_writer_func(writeFields, toJournal ? &journal : nullptr, nullptr);
    });
}

std::vector<LogLine> recentTroubles() {
    return Recent::only().lines();
}

void writeLog(LogLevel level, const char* area, const std::string& line) {
    if (level <= LogLevel::warning) Recent::only().add(level, area, line);
    if (level > leastUrgent.load()) return;
    g_log_structured(area, glibLevel(level), "MESSAGE", "%s", line.c_str());
}

LogThrottle::Verdict LogThrottle::ask(Monotonic now) {
    const std::lock_guard lock(mutex_);
    if (wrote_ && now - last_ < interval_) {
        ++keptBack_;
        return {};
    }
    wrote_ = true;
    last_ = now;
    return {.write = true, .keptBack = std::exchange(keptBack_, 0)};
}

}  // namespace edgecam
