#include "uplink/peer_session_streams.hpp"

#include <algorithm>
#include <utility>

#include "uplink/frame_header.hpp"

namespace edgecam::uplink {
namespace {

bool sameFormat(const std::shared_ptr<const StreamFormat>& a, const std::shared_ptr<const StreamFormat>& b) {
    if (a == b || !a || !b) return a == b;
    return a->codecString == b->codecString && a->mime == b->mime && a->size == b->size &&
           a->frameRate == b->frameRate && a->kind == b->kind && a->encoder == b->encoder;
}

bool sameBytes(const SharedBytes& a, const SharedBytes& b) {
    return a == b || (a && b && *a == *b);
}

/// Whether nothing can be read of this chunk's channel without what only such a chunk brings.
bool opensChannel(const Chunk& chunk) {
    return chunk.kind == ChunkKind::initSegment || chunk.kind == ChunkKind::jpeg;
}

}  // namespace

VideoStream& VideoStreams::wish(const std::string& cameraId, StreamForm form, TicketId ticket) {
    VideoStream* stream = find(cameraId, form);
    if (stream == nullptr) {
        stream = &streams_.emplace_back();
        stream->cameraId = cameraId;
        stream->form = form;
    }
    stream->wish = ticket;
    return *stream;
}

VideoStream* VideoStreams::find(const std::string& cameraId, StreamForm form) {
    const auto found = std::ranges::find_if(streams_, [&](const VideoStream& stream) {
        return stream.cameraId == cameraId && stream.form == form;
    });
    return found == streams_.end() ? nullptr : &*found;
}

std::vector<const VideoStream*> VideoStreams::of(const std::string& cameraId) const {
    std::vector<const VideoStream*> found;
    for (const VideoStream& stream : streams_) {
        if (stream.cameraId == cameraId) found.push_back(&stream);
    }
    return found;
}

bool VideoStreams::follows(RenditionId rendition) const {
    return std::ranges::any_of(streams_, [&](const VideoStream& stream) {
        return stream.attached && stream.rendition == rendition;
    });
}

void VideoStreams::learn(VideoStream& stream, const Chunk& chunk) {
    stream.channel = chunk.channel;
    if (chunk.format) stream.format = chunk.format;
    if (chunk.kind == ChunkKind::initSegment) stream.init = chunk.payload;
    channelCameras_[chunk.channel] = stream.cameraId;
}

bool VideoStreams::push(VideoStream& stream, const WireChunk& chunk, Monotonic now) {
    if (opensChannel(chunk.chunk)) learn(stream, chunk.chunk);
    return lanes_.pushVideo(chunk.chunk, chunk.parts, now);
}

bool VideoStreams::attach(VideoStream& stream, const StreamGrant& grant, Monotonic now) {
    const bool same = stream.attached && stream.rendition == grant.rendition;
    stream.quality = grant.quality;
    stream.targetKbps = grant.targetBitrateKbps;
    stream.grantedAt = now;
    stream.trouble.clear();
    if (same && grant.backlog.chunks.empty()) return true;
    if (stream.attached) lanes_.dropRendition(stream.rendition);
    if (!same) {
        stream.channel.reset();
        stream.format.reset();
        stream.meter = {};
    }
    stream.attached = true;
    stream.rendition = grant.rendition;
    stream.liveFrom = grant.backlog.liveFrom;
    stream.replayed.clear();
    bool room = true;
    for (Chunk chunk : grant.backlog.chunks) {
        chunk.madeAt.reset();  // what was kept for whoever comes did not wait for this peer
        room = push(stream, {chunk, cutIntoParts(chunk, partBytes_)}, now) && room;
        if (!opensChannel(chunk)) stream.replayed.insert(chunk.sequence);
    }
    return room;
}

void VideoStreams::detach(VideoStream& stream) {
    if (stream.attached) lanes_.dropRendition(stream.rendition);
    stream.attached = false;
    stream.wish = 0;
    stream.rendition = 0;
    stream.channel.reset();
    stream.format.reset();
    stream.meter = {};
}

VideoStreams::Delivery VideoStreams::deliver(const WireChunk& wire, Monotonic now) {
    const Chunk& chunk = wire.chunk;
    Delivery delivery;
    for (VideoStream& stream : streams_) {
        if (!stream.attached || stream.rendition != chunk.rendition) continue;
        const bool opens = opensChannel(chunk);
        const bool known = stream.channel == chunk.channel;
        if (!opens && !known) continue;  // its init segment was lost or is still to come
        if (!stream.replayed.empty()) {
            // A chunk may be in the backlog and come live as well.
            if (opens && known && sameBytes(stream.init, chunk.payload)) continue;
            if (!opens && stream.replayed.contains(chunk.sequence)) continue;
            stream.replayed.clear();
        }
        if (opens && (!known || !sameFormat(stream.format, chunk.format))) delivery.announce = &stream;
        stream.meter.count(chunk.payload ? chunk.payload->size() : 0, now);
        delivery.room = push(stream, wire, now);
    }
    return delivery;
}

VideoStreams::Ended VideoStreams::end(const std::string& cameraId, std::optional<StreamForm> form) {
    Ended ended;
    std::erase_if(streams_, [&](const VideoStream& stream) {
        if (stream.cameraId != cameraId || (form && stream.form != *form)) return false;
        ended.any = true;
        if (stream.attached) {
            lanes_.dropRendition(stream.rendition);
            ended.renditions.push_back(stream.rendition);
        }
        return true;
    });
    return ended;
}

std::string VideoStreams::cameraOf(std::uint16_t channel) const {
    const auto found = channelCameras_.find(channel);
    return found == channelCameras_.end() ? std::string() : found->second;
}

}  // namespace edgecam::uplink
