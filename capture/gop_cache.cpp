#include "capture/gop_cache.hpp"

#include <utility>

namespace edgecam::capture {

void GopCache::add(const Chunk& chunk) {
    if (chunk.kind == ChunkKind::initSegment) {
        clear();
        init_ = chunk;
        return;
    }
    if (chunk.keyFrame) {
        dropGroup();
        gaveUp_ = std::exchange(overflowed_, false);
    } else if (chunk.discontinuity) {
        dropGroup();
    }
    const bool continues = chunk.keyFrame || !group_.empty();
    if (!continues) return;

    group_.push_back(chunk);
    groupBytes_ += chunk.payload ? chunk.payload->size() : 0;
    if (groupBytes_ > limits_.bytes || chunk.captureTime - group_.front().captureTime > limits_.span) {
        dropGroup();
        overflowed_ = gaveUp_ = true;
    }
}

void GopCache::clear() {
    init_.reset();
    dropGroup();
    overflowed_ = gaveUp_ = false;
}

Backlog GopCache::backlog() const {
    Backlog all;
    all.chunks.reserve(group_.size() + 1);
    if (init_) all.chunks.push_back(*init_);
    all.chunks.insert(all.chunks.end(), group_.begin(), group_.end());
    if (!group_.empty()) all.liveFrom = group_.back().captureTime;
    return all;
}

void GopCache::dropGroup() {
    group_.clear();
    groupBytes_ = 0;
}

}  // namespace edgecam::capture
