// RtspStream: which of a camera's streams is taken, and how, read from the caps that GStreamer makes of its
// SDP. The camera wrote them: a field may be missing, of another type, or hold anything. Pure.
#pragma once

#include <gst/gst.h>

#include "base/result.hpp"

namespace edgecam::capture {

bool isVideo(const GstCaps* caps);

/// For attachChain(): depayloads and parses the video stream. The error is for people.
Result<const char*> chainFor(const GstCaps* caps);

}  // namespace edgecam::capture
