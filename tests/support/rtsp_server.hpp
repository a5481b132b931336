// An RTSP camera for tests: a child process with gst-rtsp-server in it, which can be killed, frozen and
// started again on the same port, as real cameras do it. Only loopback.
#pragma once

#include <sys/types.h>

#include <optional>
#include <string>

namespace edgecam::test {

struct RtspServerOptions {
    int port = 0;      ///< 0: any free one
    std::string file;  ///< an MP4 without B-frames, looped without a break in time; empty: see `launch`
    std::string
        launch;       ///< gst-launch text with a payloader called pay0; empty: a moving ball, 640x360, 30/s
    std::string sub;  ///< gst-launch text of a second stream, at /sub; empty: there is none
    std::string codec{"h264"};
    std::string auth;  ///< "", "basic" or "digest": user "user", password "pass"
};

/// The process ends with this object, and with its parent.
class RtspServer {
  public:
    RtspServer() = default;
    RtspServer(RtspServer&& other) noexcept;
    RtspServer& operator=(RtspServer&& other) noexcept;
    ~RtspServer() { kill(); }

    /// Starts `rtsp_server` (its path is in EDGECAM_RTSP_SERVER) and waits until it listens. Nothing on
    /// failure.
    static std::optional<RtspServer> start(const RtspServerOptions& options);

    [[nodiscard]] int port() const { return port_; }
    /// Without credentials unless given as "user:pass".
    [[nodiscard]] std::string url(const std::string& credentials = {}) const;
    [[nodiscard]] std::string subUrl() const;

    void freeze() const;  ///< SIGSTOP: connections stay, nothing comes
    void thaw() const;    ///< SIGCONT
    void kill();          ///< SIGKILL: the kernel closes its connections

  private:
    pid_t pid_ = -1;
    int port_ = 0;
};

}  // namespace edgecam::test
