// SubSource: a camera's second, smaller stream. Open only while somebody needs it; what was seen of it is
// remembered while it is closed, so that nobody opens it to find that it does not suit. Its trouble is a line
// in the log and nothing to the main stream. It knows no consumer.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "capture/live_source.hpp"
#include "capture/placement.hpp"

namespace edgecam::capture {

/// Thread-bound (main).
class SubSource {
  public:
    /// So long it stays open when nobody needs it any more: a page that is loaded again finds it.
    static constexpr Microseconds kGrace = std::chrono::seconds(3);
    /// So long whoever wants it waits for it to be opened; then there is no hope, until it is live.
    static constexpr Microseconds kPatience = std::chrono::seconds(2);

    /// `name`: the camera's, for the log. The rest as for LiveSource.
    SubSource(std::string name, const SourceUri& uri, PictureLimits limits,
              std::shared_ptr<CameraCount> count, bool enabled, const Clock& clock,
              LiveSource::Callbacks callbacks);

    void enable(bool enabled) { source_.enable(enabled); }
    /// Opens it, closes it, opens it again. Call it now and then.
    void settle(bool needed);

    [[nodiscard]] SubStream standing() const;
    [[nodiscard]] LiveSource& source() { return source_; }
    [[nodiscard]] const LiveSource& source() const { return source_; }

  private:
    void log();

    const std::string name_;
    const Clock& clock_;
    LiveSource source_;
    int kbps_ = 0;  ///< measured last
    std::optional<Monotonic> neededSince_;
    std::optional<Monotonic> neededLast_;
    CameraState told_ = CameraState::starting;
    std::string toldReason_;
};

}  // namespace edgecam::capture
