#include "uplink/frame_header.hpp"

#include <algorithm>

namespace edgecam::uplink {
namespace {

FrameHeader headerOf(const Chunk& chunk) {
    FrameHeader header;
    header.kind = chunk.kind;
    if (chunk.keyFrame) header.flags |= FrameHeader::kKeyFrame;
    if (chunk.discontinuity) header.flags |= FrameHeader::kDiscontinuity;
    header.channel = chunk.channel;
    header.sequence = chunk.sequence;
    header.captureUs = microsecondsOf(chunk.captureTime);
    header.payloadLength = chunk.payload ? static_cast<std::uint32_t>(chunk.payload->size()) : 0;
    return header;
}

}  // namespace

std::array<std::uint8_t, FrameHeader::kSize> encodeHeader(const FrameHeader& header) {
    ByteBuffer bytes;
    bytes.reserve(FrameHeader::kSize);
    ByteWriter out(bytes);
    out.u8(FrameHeader::kVersion);
    out.u8(static_cast<std::uint8_t>(header.kind));
    out.u8(header.flags);
    out.u8(FrameHeader::kSize);
    out.u16(header.channel);
    out.u16(0);
    out.u32(header.sequence);
    out.u32(header.partOffset);
    out.u64(header.captureUs);
    out.u32(header.payloadLength);
    out.u32(0);
    std::array<std::uint8_t, FrameHeader::kSize> encoded{};
    std::copy_n(bytes.begin(), encoded.size(), encoded.begin());
    return encoded;
}

Result<ParsedFrame> parseFrame(ByteView message) {
    if (message.size() < FrameHeader::kSize) return Error{"shorter than a frame header"};
    ByteReader in(message.first(FrameHeader::kSize));
    if (*in.u8() != FrameHeader::kVersion) return Error{"not version 1"};
    FrameHeader header;
    header.kind = static_cast<ChunkKind>(*in.u8());
    header.flags = *in.u8();
    const std::size_t headerLength = *in.u8();
    if (headerLength < FrameHeader::kSize || headerLength > message.size()) {
        return Error{"impossible header length"};
    }
    header.channel = *in.u16();
    in.u16();
    header.sequence = *in.u32();
    header.partOffset = *in.u32();
    header.captureUs = *in.u64();
    header.payloadLength = *in.u32();
    const ByteView part = message.subspan(headerLength);
    if (std::uint64_t{header.partOffset} + part.size() > header.payloadLength) {
        return Error{"part lies outside its payload"};
    }
    return ParsedFrame{header, part};
}

std::vector<WireMessage> cutIntoParts(const Chunk& chunk, std::size_t partBytes, std::int64_t mark) {
    const ByteView payload = chunk.payload ? ByteView(*chunk.payload) : ByteView();
    const std::size_t step = std::max<std::size_t>(partBytes, 1);
    FrameHeader header = headerOf(chunk);
    std::vector<WireMessage> parts;
    parts.reserve(payload.size() / step + 1);
    std::size_t offset = 0;
    do {
        header.partOffset = static_cast<std::uint32_t>(offset);
        const ByteView part = payload.subspan(offset, std::min(step, payload.size() - offset));
        offset += part.size();
        const bool last = offset == payload.size();
        parts.push_back(WireMessage::binary(encodeHeader(header), part, last ? mark : 0,
                                            last ? chunk.madeAt : std::nullopt));
    } while (offset < payload.size());
    return parts;
}

}  // namespace edgecam::uplink
