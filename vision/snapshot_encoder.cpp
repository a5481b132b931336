#include "vision/snapshot_encoder.hpp"

#include <turbojpeg.h>

#include <array>
#include <optional>
#include <string>
#include <utility>

namespace edgecam::vision {

namespace {

constexpr std::array kQualities = {85, 70, 55, 40};
constexpr double kSmaller = 0.7;  ///< sides: half the pixels

struct Destroy {
    void operator()(void* handle) const { tjDestroy(handle); }
};

}  // namespace

struct SnapshotEncoder::Compressor {
    std::unique_ptr<void, Destroy> handle{tjInitCompress()};
};

SnapshotEncoder::SnapshotEncoder() : compressor_(std::make_unique<Compressor>()) {}
SnapshotEncoder::~SnapshotEncoder() = default;

Result<ByteBuffer> SnapshotEncoder::compress(const FaceCrop& crop, int quality) {
    void* handle = compressor_->handle.get();
    if (handle == nullptr) return Error{"no JPEG compressor: out of memory"};
    ByteBuffer jpeg(tjBufSize(crop.size.width, crop.size.height, TJSAMP_420));
    std::array planes = {crop.planes[0].data(), crop.planes[1].data(), crop.planes[2].data()};
    auto* out = jpeg.data();
    auto bytes = static_cast<unsigned long>(jpeg.size());
    const int failed =
        tjCompressFromYUVPlanes(handle, planes.data(), crop.size.width, nullptr, crop.size.height, TJSAMP_420,
                                &out, &bytes, quality, TJFLAG_NOREALLOC);
    if (failed != 0) return Error{tjGetErrorStr2(handle)}.within("TurboJPEG");
    jpeg.resize(bytes);
    return jpeg;
}

Result<Snapshot> SnapshotEncoder::encode(const FaceCrop& crop, std::size_t mostBytes) {
    const FaceCrop* tried = &crop;
    std::optional<FaceCrop> smaller;
    for (;;) {
        for (const int quality : kQualities) {
            auto jpeg = compress(*tried, quality);
            if (!jpeg) return jpeg.error();
            if (jpeg->size() > mostBytes) continue;
            const std::size_t bytes = jpeg->size();
            return Snapshot{tried->size, bytes, share(*std::move(jpeg))};
        }
        auto next = scaledDown(*tried, kSmaller);
        if (!next) return next.error();
        if (next->size == tried->size) {
            return Error{"no JPEG of a face fits into " + std::to_string(mostBytes) + " bytes"};
        }
        smaller = *std::move(next);
        tried = &*smaller;
    }
}

}  // namespace edgecam::vision
