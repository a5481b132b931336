#include "uplink/lane_queue.hpp"

#include <algorithm>
#include <set>
#include <utility>

namespace edgecam::uplink {
namespace {

std::size_t sizeOf(const std::vector<WireMessage>& parts) {
    std::size_t total = 0;
    for (const WireMessage& part : parts) total += part.size();
    return total;
}

}  // namespace

LaneQueue::Item LaneQueue::itemOf(const Chunk& chunk, const std::vector<WireMessage>& parts, Monotonic now) {
    Item item;
    item.parts = parts;
    item.bytes = sizeOf(parts);
    item.queuedAt = now;
    item.what = chunk.kind == ChunkKind::initSegment              ? What::initSegment
                : chunk.keyFrame || chunk.kind == ChunkKind::jpeg ? What::keyFrame
                                                                  : What::delta;
    item.rendition = chunk.rendition;
    item.channel = chunk.channel;
    item.sequence = chunk.sequence;
    return item;
}

std::size_t LaneQueue::limitOf(Lane lane) const {
    switch (lane) {
        case Lane::answers:
            return limits_.answerBytes;
        case Lane::events:
            return limits_.eventBytes;
        case Lane::video:
            return limits_.videoBytes;
        case Lane::replay:
            return limits_.replayBytes;
        case Lane::lossy:
            return limits_.lossyBytes;
        case Lane::bulk:
            return limits_.bulkBytes;
    }
    return 0;
}

void LaneQueue::append(Row& row, Item item) {
    row.bytes += item.bytes;
    row.items.push_back(std::move(item));
}

bool LaneQueue::push(Lane lane, WireMessage message, Monotonic now) {
    return push(lane, std::vector<WireMessage>{std::move(message)}, now);
}

bool LaneQueue::push(Lane lane, std::vector<WireMessage> parts, Monotonic now) {
    if (parts.empty()) return true;
    Row& to = row(lane);
    Item item;
    item.bytes = sizeOf(parts);
    item.parts = std::move(parts);
    item.queuedAt = now;
    const std::size_t limit = limitOf(lane);
    if (lane == Lane::events || lane == Lane::lossy) {
        while (!to.items.empty() && to.bytes + item.bytes > limit) {
            to.bytes -= to.items.front().bytes;
            to.items.pop_front();
            ++to.dropped;
        }
    }
    if (to.bytes + item.bytes > limit) {
        ++to.dropped;
        return false;
    }
    append(to, std::move(item));
    return true;
}

bool LaneQueue::pushVideo(const Chunk& chunk, const std::vector<WireMessage>& parts, Monotonic now) {
    Row& video = row(Lane::video);
    Item item = itemOf(chunk, parts, now);
    if (thinnedOut(item, now)) return true;
    const auto chain = chains_.find(item.rendition);
    if (item.what == What::delta && (chain == chains_.end() || chain->second == Chain::broken)) {
        if (chain != chains_.end()) skip(item);  // before its first key frame a stream has nothing to miss
        return true;
    }
    if (video.bytes + item.bytes > limits_.videoBytes) cutOlderThan(now + Microseconds(1));
    if (video.bytes + item.bytes > limits_.videoBytes) {
        if (item.what == What::initSegment) return false;
        skip(item);
        chains_[item.rendition] = Chain::broken;
        return true;
    }
    // The cut that made room may have taken the deltas before this one.
    if (item.what == What::delta && chains_[item.rendition] == Chain::broken) {
        skip(item);
        return true;
    }
    if (item.what == What::keyFrame) chains_[item.rendition] = Chain::flowing;
    append(video, std::move(item));
    return true;
}

void LaneQueue::onlyKeyFrames(std::optional<Microseconds> interval) {
    keyInterval_ = interval;
    lastKeys_.clear();
}

bool LaneQueue::thinnedOut(const Item& item, Monotonic now) {
    if (!keyInterval_ || !item.picture()) return false;
    // The slack of a quarter: who makes one in an interval does not meet its end exactly.
    const auto last = lastKeys_.find(item.rendition);
    const bool due = last == lastKeys_.end() || now - last->second >= *keyInterval_ * 3 / 4;
    if (item.what == What::keyFrame && due) {
        lastKeys_[item.rendition] = now;
        return false;
    }
    if (const auto chain = chains_.find(item.rendition); chain != chains_.end())
        chain->second = Chain::broken;
    return true;
}

bool LaneQueue::pushBehind(const std::vector<RenditionId>& renditions, WireMessage message, Monotonic now) {
    Row& video = row(Lane::video);
    const bool halfSent = !video.items.empty() && video.items.front().begun() &&
                          std::ranges::find(renditions, video.items.front().rendition) != renditions.end();
    if (!halfSent) return push(Lane::answers, std::move(message), now);
    Item item;
    item.bytes = message.size();
    item.parts.push_back(std::move(message));
    item.queuedAt = now;
    video.bytes += item.bytes;
    video.items.insert(video.items.begin() + 1, std::move(item));
    return true;
}

std::vector<DropNotice> LaneQueue::cut(Monotonic now) {
    cutOlderThan(now - limits_.videoAge);
    std::vector<DropNotice> notices;
    notices.reserve(skipped_.size());
    for (const auto& [channel, notice] : skipped_) notices.push_back(notice);
    skipped_.clear();
    return notices;
}

bool LaneQueue::awaitsKeyFrame(RenditionId rendition) const {
    const auto chain = chains_.find(rendition);
    return chain != chains_.end() && chain->second == Chain::broken;
}

void LaneQueue::cutOlderThan(Monotonic deadline) {
    std::set<RenditionId> stale;
    for (const Item& item : row(Lane::video).items) {
        if (item.picture() && !item.begun() && item.queuedAt < deadline) stale.insert(item.rendition);
    }
    for (const RenditionId rendition : stale) cutRendition(rendition, deadline);
}

void LaneQueue::cutRendition(RenditionId rendition, Monotonic deadline) {
    std::deque<Item>& items = row(Lane::video).items;
    const auto newestKey = std::find_if(items.rbegin(), items.rend(), [&](const Item& item) {
        return item.what == What::keyFrame && item.rendition == rendition;
    });
    const auto keyIndex = newestKey == items.rend() ? 0 : std::distance(newestKey, items.rend()) - 1;
    std::ptrdiff_t index = 0;
    skipIf([&](const Item& item) { return index++ < keyIndex && item.waitsOf(rendition); });
    const auto oldest =
        std::ranges::find_if(items, [&](const Item& item) { return item.waitsOf(rendition); });
    if (oldest == items.end() || oldest->queuedAt >= deadline) return;
    const std::size_t skippedDeltas =
        skipIf([&](const Item& item) { return item.what == What::delta && item.waitsOf(rendition); });
    if (skippedDeltas > 0) chains_[rendition] = Chain::broken;
}

void LaneQueue::skip(const Item& item) {
    ++row(Lane::video).dropped;
    DropNotice& notice = skipped_[item.channel];
    // A key frame that found no room may be told before what is cut in front of it.
    notice.fromSequence = notice.frames == 0 ? item.sequence : std::min(notice.fromSequence, item.sequence);
    notice.channel = item.channel;
    notice.toSequence = std::max(notice.toSequence, item.sequence);
    ++notice.frames;
    notice.bytes += item.bytes;
}

template <class Predicate>
std::size_t LaneQueue::skipIf(Predicate unwanted) {
    Row& video = row(Lane::video);
    return std::erase_if(video.items, [&](const Item& item) {
        if (!unwanted(item)) return false;
        skip(item);
        video.bytes -= item.bytes;
        return true;
    });
}

std::optional<WireMessage> LaneQueue::pop(Lane last) {
    const auto lane = laneToServe(last);
    if (!lane) return std::nullopt;
    WireMessage message = take(*lane);
    settleShares(*lane, message.size());
    return message;
}

std::optional<Lane> LaneQueue::laneToServe(Lane last) const {
    constexpr std::array kOrder{Lane::answers, Lane::events, Lane::video,
                                Lane::replay,  Lane::lossy,  Lane::bulk};
    const auto first = std::ranges::find_if(kOrder, [&](Lane lane) { return !row(lane).items.empty(); });
    if (first == kOrder.end() || *first > last) return std::nullopt;
    if (*first <= kLastUrgentLane) return *first;
    if (last >= Lane::bulk && bulkIsDue()) return Lane::bulk;
    if (last >= Lane::replay && replayIsDue()) return Lane::replay;
    return *first;
}

bool LaneQueue::replayIsDue() const {
    const Row& replay = row(Lane::replay);
    return !replay.items.empty() && replayCredit_ >= replay.items.front().next().size();
}

bool LaneQueue::bulkIsDue() const {
    const Row& bulk = row(Lane::bulk);
    return !bulk.items.empty() && bulkCredit_ >= (kBulkShare - 1) * bulk.items.front().next().size();
}

WireMessage LaneQueue::take(Lane lane) {
    Row& from = row(lane);
    Item& item = from.items.front();
    WireMessage message = item.next();
    ++item.nextPart;
    item.bytes -= message.size();
    from.bytes -= message.size();
    if (item.nextPart == item.parts.size()) from.items.pop_front();
    return message;
}

/// Shares are of what waits at the same time: nobody saves up credit while it has nothing to send, or while
/// nobody else has.
void LaneQueue::settleShares(Lane served, std::size_t bytes) {
    if (row(Lane::video).items.empty() || row(Lane::replay).items.empty()) {
        replayCredit_ = 0;
    } else if (served == Lane::video) {
        replayCredit_ += bytes;
    } else if (served == Lane::replay) {
        replayCredit_ -= std::min(replayCredit_, bytes);
    }
    if (row(Lane::bulk).items.empty()) {
        bulkCredit_ = 0;
    } else if (served == Lane::bulk) {
        bulkCredit_ -= std::min(bulkCredit_, (kBulkShare - 1) * bytes);
    } else {
        // No more than the next part costs: urgent lanes may go on alone while the link has no room for bulk.
        const std::size_t price = (kBulkShare - 1) * row(Lane::bulk).items.front().next().size();
        bulkCredit_ = std::min(bulkCredit_ + bytes, price);
    }
}

void LaneQueue::skipVideo() {
    const auto unwanted = [](const Item& item) { return item.picture() && !item.begun(); };
    for (const Item& item : row(Lane::video).items) {
        if (unwanted(item)) chains_[item.rendition] = Chain::broken;
    }
    skipIf(unwanted);
}

void LaneQueue::dropRendition(RenditionId rendition) {
    Row& video = row(Lane::video);
    std::erase_if(video.items, [&](const Item& item) {
        const bool gone = item.what != What::message && item.rendition == rendition && !item.begun();
        if (gone) video.bytes -= item.bytes;
        return gone;
    });
    chains_.erase(rendition);
    lastKeys_.erase(rendition);
}

LaneUse LaneQueue::use(Lane lane, Monotonic now) const {
    const Row& wanted = row(lane);
    LaneUse use{wanted.items.size(), wanted.bytes, Microseconds(0), wanted.dropped};
    if (!wanted.items.empty()) use.age = std::max(Microseconds(0), now - wanted.items.front().queuedAt);
    return use;
}

bool LaneQueue::empty(Lane last) const {
    return std::all_of(lanes_.begin(), lanes_.begin() + static_cast<std::ptrdiff_t>(last) + 1,
                       [](const Row& each) { return each.items.empty(); });
}

}  // namespace edgecam::uplink
