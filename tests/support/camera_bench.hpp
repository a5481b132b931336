// A camera on the bench: collects what it emits and turns the main loop until something is so.
#pragma once

#include <algorithm>
#include <chrono>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "base/mailbox.hpp"
#include "capture/camera.hpp"
#include "tests/support/main_context.hpp"

namespace edgecam::test {

/// Thread-safe.
class ChunkLog {
  public:
    void add(const Chunk& chunk) {
        const std::lock_guard lock(mutex_);
        chunks_.push_back(chunk);
    }
    [[nodiscard]] std::vector<Chunk> of(RenditionId rendition) const {
        const std::lock_guard lock(mutex_);
        std::vector<Chunk> found;
        std::copy_if(chunks_.begin(), chunks_.end(), std::back_inserter(found),
                     [&](const Chunk& chunk) { return chunk.rendition == rendition; });
        return found;
    }
    [[nodiscard]] std::size_t count(RenditionId rendition) const { return of(rendition).size(); }

  private:
    mutable std::mutex mutex_;
    std::vector<Chunk> chunks_;
};

/// The decode time of a moof+mdat: `tfdt` version 1, ISO/IEC 14496-12 §8.8.12.
inline std::uint64_t decodeTimeOf(const Chunk& chunk) {
    const ByteBuffer& bytes = *chunk.payload;
    const std::string_view name = "tfdt";
    const auto found = std::search(bytes.begin(), bytes.end(), name.begin(), name.end());
    if (bytes.end() - found < 16) return 0;
    std::uint64_t time = 0;
    for (auto at = found + 8; at != found + 16; ++at) time = time << 8 | *at;
    return time;
}

struct CameraBench {
    explicit CameraBench(const std::string& uri, capture::EncoderSettings encoder = {},
                         const std::string& substream = {}, capture::PictureLimits pictureLimits = {}) {
        capture::CameraSettings settings;
        settings.id = "cam";
        settings.source = *capture::parseSourceUri(uri);
        settings.encoder = encoder;
        settings.pictures = pictureLimits;
        if (!substream.empty()) settings.substream = *capture::parseSourceUri(substream);
        camera = capture::Camera::create(settings, clock, &pictures,
                                         {[this](const Chunk& chunk) { log.add(chunk); },
                                          [this](const CameraStatus& status) { states.push_back(status); }});
        camera->start();
    }

    bool until(const std::function<bool()>& predicate,
               std::chrono::milliseconds limit = std::chrono::seconds(10)) {
        return waitUntil(predicate, limit);
    }
    bool untilState(CameraState state, std::chrono::milliseconds limit = std::chrono::seconds(10)) {
        return until([&] { return camera->status().state == state; }, limit);
    }
    bool untilChunks(RenditionId rendition, std::size_t count,
                     std::chrono::milliseconds limit = std::chrono::seconds(10)) {
        return until([&] { return log.count(rendition) >= count; }, limit);
    }
    /// Chunks of the rendition of that kind.
    std::vector<Chunk> chunks(RenditionId rendition, ChunkKind kind) const {
        auto all = log.of(rendition);
        std::erase_if(all, [&](const Chunk& chunk) { return chunk.kind != kind; });
        return all;
    }

    SystemClock clock;
    Mailbox<Picture> pictures;
    ChunkLog log;
    std::vector<CameraStatus> states;
    std::unique_ptr<capture::Camera> camera;
};

}  // namespace edgecam::test
