// SourceUri: what to open, read from the text a person writes into the config. Only syntax; nothing is
// opened.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/geometry.hpp"
#include "base/result.hpp"
#include "capture/device_identity.hpp"

namespace edgecam::capture {

enum class SourceKind { v4l2, rtsp, file, test };
enum class RtspTransport { tcp, udp };
enum class TestPattern { faces, bars, noise };

struct SourceUri {
    SourceKind kind = SourceKind::test;
    /// v4l2: device node, a link to one, or empty; file: absolute or relative path; rtsp: URL *without*
    /// credentials.
    std::string location;
    /// v4l2 without a location: what the camera must be. Where a part is empty, and the index: whatever it
    /// is.
    DeviceIdentity device;
    std::string user;      ///< rtsp, percent-decoded; never log it with the password
    std::string password;  ///< rtsp, percent-decoded; never log it
    RtspTransport transport = RtspTransport::tcp;
    TestPattern pattern = TestPattern::faces;

    Size size;                ///< wanted; empty: best guess (v4l2: up to 1280x720; test: 1280x720)
    double frameRate = 0;     ///< wanted; 0: best guess
    std::string pixelFormat;  ///< v4l2: a fourcc such as "YUYV", "MJPG", "H264"; empty: chosen

    /// For logs and status: no credentials in it. An RTSP URL ends at its first '?' or '=', since some
    /// cameras take the password there.
    [[nodiscard]] std::string shown() const;
    bool operator==(const SourceUri&) const = default;
};

/// `v4l2:///dev/video0?width=1280&height=720&fps=30&format=MJPG`, `v4l2:?serial=8A3F&fps=30` (or `name`,
/// `bus`, or several: percent-encoded, compared as `edgecam probe` prints them),
/// `rtsp://user:pass@host:554/path?…` (its query is the camera's own), `rtspu://…` for UDP,
/// `file:///path/clip.mp4`, `test://faces?width=…&height=…&fps=…`, `test://bars`, `test://noise`;
/// `file:clip.mp4` is a relative path. The error says what is wrong with which part, and never quotes a part
/// that may hold a password. Sizes: 16 to 8192 pixels, of a test picture 320x180 and more, even; fps: above
/// 0, at most 240.
Result<SourceUri> parseSourceUri(std::string_view text);

}  // namespace edgecam::capture
