// ChunkStream: a rendition. Coded pictures go in, chunks come out: numbered channels, an init segment for
// every new format, the current group of pictures kept for whoever joins. What a camera declares of
// reordering and does not do is left out. It knows no source and no encoder.
#pragma once

#include <functional>
#include <memory>
#include <mutex>
#include <optional>

#include "base/clock.hpp"
#include "base/delays.hpp"
#include "base/media.hpp"
#include "capture/cmaf_muxer.hpp"
#include "capture/coding.hpp"
#include "capture/gop_cache.hpp"
#include "capture/reorder_claim.hpp"
#include "capture/timeline.hpp"

namespace edgecam::capture {

/// Thread-safe.
class ChunkStream {
  public:
    /// Called under the stream's lock, in order. Must not block or call the stream.
    using Emit = std::function<void(const Chunk&, const std::shared_ptr<const Coding>&)>;
    /// `coding` is null while the stream has no format yet.
    using Join = std::function<void(const Backlog&, const std::shared_ptr<const Coding>& coding)>;

    ChunkStream(RenditionKind kind, const Clock& clock, Emit emit);

    [[nodiscard]] RenditionId id() const { return id_; }

    /// Takes the next access unit in decoding order (or a JPEG: always a key frame). Times in `unit` are
    /// media times. Until a key frame has come, at the start, after breakOff() and after a change of format,
    /// others are dropped.
    void push(const AccessUnit& unit, const std::shared_ptr<const Coding>& coding, const PictureStamp& stamp);

    /// The source broke off: the next chunk is a key frame and says so.
    void breakOff();
    /// Nobody is left to produce it: forgets the group; the next chunk is a key frame.
    void rest();

    /// Replays init segment and current group under the lock: what the callee queues lies before all later
    /// chunks.
    void join(const Join& join) const;

    /// How many pictures who joins now gets at once: 0 before the first key frame, few right behind one.
    [[nodiscard]] std::size_t cachedPictures() const;

    /// As GopCache::keepsGroups(): whether who joins late in a group still gets all of it.
    [[nodiscard]] bool keepsGroups() const;

    /// Null until the first key frame.
    [[nodiscard]] std::shared_ptr<const StreamFormat> format() const;
    /// Of all pictures that became chunks.
    [[nodiscard]] PictureDelays delays() const;

  private:
    const std::shared_ptr<const Coding>& truthful(const std::shared_ptr<const Coding>& coding,
                                                  const AccessUnit& unit);
    void adoptFormat(const Coding& coding);
    void announce(const PictureStamp& stamp);
    void startDecodeTimes();
    void forgetGroup();
    void emit(const Chunk& chunk);
    Microseconds decodeTime(const AccessUnit& unit);
    [[nodiscard]] Chunk chunkFor(ChunkKind kind, const PictureStamp& stamp) const;

    const RenditionId id_;
    const RenditionKind kind_;
    const Clock& clock_;
    const Emit emit_;

    mutable std::mutex mutex_;
    CmafMuxer muxer_;
    GopCache cache_;
    std::optional<DecodeTimes> decodeTimes_;  ///< for B-frames without decode times
    int reorder_ = 0;                         ///< depth of reordering
    std::optional<Chunk> init_;               ///< in force
    std::shared_ptr<const Coding> coding_;
    std::shared_ptr<const StreamFormat> format_;
    std::uint16_t channel_ = 0;
    Microseconds latestPts_{0};
    std::shared_ptr<const Coding> claimed_;  ///< as the camera says it is coded
    std::shared_ptr<const Coding> plain_;    ///< the same without reordering; null: it declares none
    ReorderClaim claim_;                     ///< of `claimed_`
    bool awaitsKey_ = true;
    bool broken_ = false;
    PictureDelays delays_;
};

}  // namespace edgecam::capture
