// SnapshotEncoder: a face's pixels as a JPEG that is not larger than it may be. The one place that knows
// TurboJPEG.
#pragma once

#include <cstddef>
#include <memory>

#include "base/face.hpp"
#include "base/result.hpp"
#include "vision/face_crop.hpp"

namespace edgecam::vision {

/// Not thread-safe: each thread its own.
class SnapshotEncoder {
  public:
    SnapshotEncoder();
    ~SnapshotEncoder();
    SnapshotEncoder(const SnapshotEncoder&) = delete;
    SnapshotEncoder& operator=(const SnapshotEncoder&) = delete;

    /// A JPEG (4:2:0) of at most `mostBytes`: as good as fits, of the qualities 85, 70, 55 and 40, and where
    /// none fits of a smaller picture. An error: not even the smallest fits, or the library says why not.
    /// Takes some 0.2 ms a try.
    Result<Snapshot> encode(const FaceCrop& crop, std::size_t mostBytes);

  private:
    struct Compressor;
    Result<ByteBuffer> compress(const FaceCrop& crop, int quality);

    std::unique_ptr<Compressor> compressor_;
};

}  // namespace edgecam::vision
