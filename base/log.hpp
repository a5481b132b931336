// Log: one line an occurrence, written once, where it is handled. To journald's socket when stderr is
// journald's, else a plain line on stderr. Never put a token or a URL with a password into a line.
#pragma once

#include <cstdint>
#include <mutex>
#include <sstream>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.hpp"

namespace edgecam {

enum class LogLevel { error, warning, info, debug };

/// The config's word, e.g. "info".
const char* nameOf(LogLevel level);

/// Lines less urgent than this are not written. Call before other threads start; again, to change the level.
void startLog(LogLevel least);
/// What startLog() was told last.
LogLevel leastLogged();

/// Thread-safe. `area` is the folder that speaks: "capture", "vision", "uplink", "agent"; or
/// "audit", for who did what.
void writeLog(LogLevel level, const char* area, const std::string& line);

/// A warning or error of this process, whether the level let it be written or not.
struct LogLine {
    Utc at;
    LogLevel level = LogLevel::error;
    std::string area;
    std::string text;  ///< at most kMostOfLine bytes, printable ASCII
};
inline constexpr std::size_t kRecentLines = 100;
inline constexpr std::size_t kMostOfLine = 300;
/// The last kRecentLines of them, oldest first. Thread-safe.
std::vector<LogLine> recentTroubles();

/// Joins anything that can be written to a stream.
template <class... Parts>
std::string concat(const Parts&... parts) {
    std::ostringstream out;
    (out << ... << parts);
    return std::move(out).str();
}

template <class... Parts>
void logError(const char* area, const Parts&... parts) {
    writeLog(LogLevel::error, area, concat(parts...));
}
template <class... Parts>
void logWarning(const char* area, const Parts&... parts) {
    writeLog(LogLevel::warning, area, concat(parts...));
}
template <class... Parts>
void logInfo(const char* area, const Parts&... parts) {
    writeLog(LogLevel::info, area, concat(parts...));
}
template <class... Parts>
void logDebug(const char* area, const Parts&... parts) {
    writeLog(LogLevel::debug, area, concat(parts...));
}

/// For trouble that may come with every picture: says when to write a line, at most one in `interval`, and
/// how many were kept back since the last. Thread-safe.
class LogThrottle {
  public:
    explicit LogThrottle(Microseconds interval = std::chrono::seconds(10)) : interval_(interval) {}

    struct Verdict {
        bool write = false;
        std::uint64_t keptBack = 0;
    };
    Verdict ask(Monotonic now);

  private:
    const Microseconds interval_;
    std::mutex mutex_;
    bool wrote_ = false;
    Monotonic last_{};
    std::uint64_t keptBack_ = 0;
};

}  // namespace edgecam
