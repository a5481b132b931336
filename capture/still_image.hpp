// StillImage: JPEG and PNG files in, JPEG out, and boxes drawn on a picture. For `edgecam detect` and
// snapshots; video goes another way. Knows nothing of faces. Thread-safe.
//
// Colours: a Picture here is studio-range Y'CbCr, BT.601 up to 576 rows and BT.709 above, as cameras send it.
#pragma once

#include <span>
#include <string>

#include "base/bytes.hpp"
#include "base/geometry.hpp"
#include "base/picture.hpp"
#include "base/result.hpp"

namespace edgecam::capture {

inline constexpr int kLargestSide = 8192;  ///< pixels: with it a picture has at most 64 million of them

/// Decodes a JPEG or PNG file of at most 64 MiB and kLargestSide pixels a side. Blocks for at most 10 s. The
/// pixels are as stored: an EXIF orientation is ignored, transparency is dropped. The error names the file
/// and what is wrong.
Result<Picture> readPicture(const std::string& path);

/// The same from bytes; errors name no file.
Result<Picture> decodePicture(ByteView file);

/// Baseline JPEG, 4:2:0. `quality` 1 to 100. Blocks for at most 10 s.
Result<ByteBuffer> encodeJpeg(const Picture& picture, int quality);

/// A copy with a green frame just inside each box; what lies outside the picture is not drawn.
Picture withBoxes(const Picture& picture, std::span<const RectNorm> boxes);

}  // namespace edgecam::capture
