// Source: one generation of one source, from being opened until it fails or is closed. It delivers coded
// access units or raw pictures, never both, and says once why it ended. It retries nothing: that is the
// supervisor's.
#pragma once

#include <functional>
#include <memory>

#include "base/picture.hpp"
#include "base/result.hpp"
#include "capture/cmaf_muxer.hpp"
#include "capture/coding.hpp"
#include "capture/known_device.hpp"
#include "capture/source_failure.hpp"
#include "capture/source_uri.hpp"
#include "capture/timeline.hpp"

namespace edgecam::capture {

/// What one source leaves to the next.
struct SourceKeep {
    /// Let go when the device is free again, which may be long after the source was closed, or never.
    std::shared_ptr<void> hold;
    std::shared_ptr<KnownDevice> device;  ///< v4l2 only
};

/// Thread-bound (main): opened and closed there. Neither waits for a device.
class Source {
  public:
    struct Callbacks {
        /// On a streaming thread, in decoding order; times in the unit are running times. Must not block.
        std::function<void(const AccessUnit&, const std::shared_ptr<const Coding>&, const SourceTime&)> coded;
        /// On a streaming thread; sequence and capture time are the receiver's to fill in. Must not block.
        std::function<void(Picture, double frameRate, const SourceTime&)> raw;
        /// On the main thread, at most once. It must not close the source itself.
        std::function<void(const SourceFailure&)> failed;
    };

    /// Pictures or a failure follow by the callbacks; only what can be told at once fails here.
    static Result<std::unique_ptr<Source>> open(const SourceUri& uri, const Clock& clock, Callbacks callbacks,
                                                SourceKeep keep);
    virtual ~Source() = default;

    /// Has what its pictures do not tell looked at, soon and elsewhere; SourceKeep::device hears it. Call it
    /// about once a second.
    virtual void check() {}
};

}  // namespace edgecam::capture
