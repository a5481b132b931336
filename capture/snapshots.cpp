#include "capture/snapshots.hpp"

#include <algorithm>
#include <utility>

namespace edgecam::capture {

Snapshots::Snapshots(const Clock& clock, std::function<void()> ready)
    : clock_(clock),
      ready_(std::move(ready)),
      encoder_(EncoderForm::jpeg, EncoderSettings{}, clock,
               [this](const AccessUnit& unit, const std::shared_ptr<const Coding>& coding,
                      const PictureStamp& stamp) { take(unit, *coding, stamp); }) {}

void Snapshots::ask(Done done) {
    pending_.push_back({std::move(done), clock_.monotonic()});
    encoder_.run(true);
}

void Snapshots::take(const AccessUnit& unit, const Coding& coding, const PictureStamp& stamp) {
    StreamFormat format;
    format.codec = Codec::jpeg;
    format.codecString = "jpeg";
    format.mime = "image/jpeg";
    format.size = coding.track.size;
    format.encoder = coding.encoder;
    Chunk chunk;
    chunk.kind = ChunkKind::jpeg;
    chunk.keyFrame = true;
    chunk.sequence = stamp.sequence;
    chunk.captureTime = stamp.captureTime;
    chunk.payload = share(ByteBuffer(unit.data.begin(), unit.data.end()));
    chunk.format = std::make_shared<const StreamFormat>(std::move(format));
    {
        const std::lock_guard lock(mutex_);
        if (made_) return;
        made_ = std::move(chunk);
    }
    ready_();
}

void Snapshots::settle() {
    const Monotonic now = clock_.monotonic();
    std::optional<Chunk> made;
    {
        const std::lock_guard lock(mutex_);
        made = std::exchange(made_, std::nullopt);
    }
    if (made && wanted()) answer(std::move(*made), now);
    answer(Error{"no picture within 5 s"}, now - kLimit);
    encoder_.run(wanted());
}

void Snapshots::answer(const Result<Chunk>& result, Monotonic askedBefore) {
    const auto waits = [&](const Pending& pending) { return pending.asked > askedBefore; };
    const auto first = std::stable_partition(pending_.begin(), pending_.end(), waits);
    std::vector<Pending> due(std::make_move_iterator(first), std::make_move_iterator(pending_.end()));
    pending_.erase(first, pending_.end());
    for (const Pending& pending : due) pending.done(result);
}

}  // namespace edgecam::capture
