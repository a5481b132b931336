// Coding: how a coded stream is made, read from the caps that GStreamer attaches to it.
#pragma once

#include <gst/gst.h>

#include <memory>
#include <string>

#include "base/result.hpp"
#include "capture/cmaf_muxer.hpp"

namespace edgecam::capture {

/// Immutable once shared.
struct Coding {
    TrackFormat track;     ///< codecData is empty for JPEG
    double frameRate = 0;  ///< nominal and plausible; 0: unknown
    std::string encoder;   ///< element that made it; empty: the camera itself
    bool operator==(const Coding&) const = default;
};

/// A nominal rate above is a camera's fancy; and one below would let a camera that hangs pass for a slow one.
inline constexpr double kMostRate = 240;
inline constexpr double kLeastRate = 1.0 / 60;

/// The rate that a camera tells; 0, unknown, when none has such a rate.
double plausibleRate(double told);

/// Fails for caps that are no H.264 ("avc"), H.265 ("hvc1") or JPEG with a known size that MP4 has room for.
Result<Coding> codingOf(const GstCaps* caps);

/// A parser's buffer, whose bytes are `data`; `running` is its place on the running time.
AccessUnit accessUnitOf(GstBuffer* buffer, ByteView data, const GstSegment* segment, Microseconds running,
                        double frameRate);

/// The caps a decoder takes for access units of that coding.
GstCaps* newCapsOf(const Coding& coding);

/// Remembers the coding of the caps seen last, so that it is read once and not for every picture. Not
/// thread-safe.
class CodingReader {
  public:
    explicit CodingReader(std::string encoder = {}) : encoder_(std::move(encoder)) {}
    ~CodingReader() { gst_clear_caps(&caps_); }
    CodingReader(const CodingReader&) = delete;
    CodingReader& operator=(const CodingReader&) = delete;

    /// Null for caps it cannot use.
    std::shared_ptr<const Coding> read(GstCaps* caps);

  private:
    std::string encoder_;
    GstCaps* caps_ = nullptr;
    std::shared_ptr<const Coding> coding_;
};

}  // namespace edgecam::capture
