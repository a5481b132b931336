// ClipPictures: the pictures of a video file, each of them, as fast as they are asked for. For benchmarks:
// unlike a camera it drops nothing and waits for no clock. It knows no face.
#pragma once

#include <optional>
#include <string>

#include "base/geometry.hpp"
#include "base/picture.hpp"
#include "base/result.hpp"
#include "capture/gst.hpp"

namespace edgecam::bench {

class ClipPictures {
  public:
    /// Pictures as they are stored, which is how a camera's worker gets them; with `scaled` in that size. An
    /// error of the file's comes with the first next() at the latest.
    static Result<ClipPictures> open(const std::string& path, std::optional<Size> scaled = {});

    /// The next picture in order of presentation; nothing at the end. Its `sequence` counts from 0, its
    /// `captureTime` is its time in the clip, from 0 for the first. Blocks while it is decoded, 10 s at most.
    Result<std::optional<Picture>> next();
    /// Pictures a second, as the file says; 0: it does not, or none was taken yet.
    [[nodiscard]] double rate() const { return rate_; }

  private:
    explicit ClipPictures(capture::Pipeline pipeline) : pipeline_(std::move(pipeline)) {}
    Result<capture::Handle<GstSample>> pull();

    capture::Pipeline pipeline_;
    std::optional<Microseconds> begin_;
    std::uint32_t sequence_ = 0;
    double rate_ = 0;
};

}  // namespace edgecam::bench
