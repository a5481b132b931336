// Pictures and GStreamer's buffers: the same pixels under two names, never copied.
#pragma once

#include <gst/gst.h>

#include <optional>

#include "base/bytes.hpp"
#include "base/geometry.hpp"
#include "base/picture.hpp"
#include "capture/gst.hpp"

namespace edgecam::capture {

/// The pixels of a raw I420 sample, held until the picture goes; nothing for another format. Its sequence and
/// capture time are the caller's to fill in.
std::optional<Picture> pictureOf(GstSample* sample);

/// A buffer over the picture's pixels, which keeps them alive. Its PTS is the stamp's media time.
Handle<GstBuffer> bufferOf(const Picture& picture, Microseconds mediaTime);

/// Raw I420 caps.
Handle<GstCaps> rawCaps(Size size, double frameRate);

/// Bytes of media that a buffer borrows, from `offset` on. Its PTS and DTS are left unset.
Handle<GstBuffer> bufferOver(SharedBytes bytes, std::size_t offset);

}  // namespace edgecam::capture
