// Parameter sets: what the decoder configuration records of H.264 and H.265 say about a stream. Foreign
// bytes: any input is answered, in time proportional to its length, and nothing outside the view is read.
// Knows nothing of MP4 or GStreamer.
#pragma once

#include <optional>
#include <string>

#include "base/bytes.hpp"
#include "base/result.hpp"

namespace edgecam::capture {

/// RFC 6381 section 3.3, e.g. "avc1.64001f", from an AVCDecoderConfigurationRecord (ISO/IEC
/// 14496-15, 5.3.3.1).
Result<std::string> avcCodecString(ByteView record);

/// ISO/IEC 14496-15 annex E.3, e.g. "hvc1.1.6.L93.90", from an HEVCDecoderConfigurationRecord (8.3.3.1).
Result<std::string> hevcCodecString(ByteView record);

/// The largest number of pictures that precede one in decoding order and follow it in output order; nothing
/// where the record's first SPS does not say, or says something no decoder allows (more than 16).
std::optional<int> avcReorderDepth(ByteView record);
std::optional<int> hevcReorderDepth(ByteView record);

/// The same record, whose SPS says `depth` (0 to 16) for max_num_reorder_frames (H.264 E.2.1). Nothing where
/// it does not say that number, or holds more than one SPS.
std::optional<ByteBuffer> avcWithReorderDepth(ByteView record, int depth);

}  // namespace edgecam::capture
