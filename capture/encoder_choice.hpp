// Which encoders this machine has, which one is used, and how each is set up. Settings after measurements on
// GStreamer 1.22: I420 before and a profile after the encoder (else x264enc makes 4:4:4 in silence), no
// B-frames, key frames on demand only (a distance counted in frames cannot follow a change of rate).
#pragma once

#include <gst/gst.h>

#include <optional>
#include <span>
#include <string>
#include <vector>

namespace edgecam::capture {

struct EncoderKind {
    const char* element;
    bool hardware;
    const char* launch;  ///< from raw I420 to H.264 "avc"; the encoder itself is called `encoder`
    void (*setBitrate)(GstElement* encoder, int kbps);
};

/// Best first.
std::span<const EncoderKind> encoderKinds();

/// Nothing: it is there and opens; else why it cannot be used. Opens hardware for a moment, and may block on it.
std::optional<std::string> whyUnusable(const EncoderKind& kind);

struct EncoderChoice {
    std::string element;
    bool hardware = false;
    bool usable = false;
    bool chosen = false;
    std::string reason;  ///< why it is not usable; empty when it is
};

/// For `probe`: all kinds, best first; at most one is chosen. Blocks while hardware is tried.
std::vector<EncoderChoice> availableEncoders();

}  // namespace edgecam::capture
