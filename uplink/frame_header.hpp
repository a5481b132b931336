// FrameHeader: the 32 bytes before every binary payload, as docs/protocol.md lays them out, and the cutting
// of a payload into parts. Pure; knows no socket.
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "base/bytes.hpp"
#include "base/media.hpp"
#include "base/result.hpp"
#include "uplink/wire_message.hpp"

namespace edgecam::uplink {

/// Channels from here on carry one payload each (`transfer`), the ones below the renditions of cameras.
inline constexpr std::uint16_t kFirstOneShot = 0x8000;

struct FrameHeader {
    static constexpr std::size_t kSize = 32;
    static constexpr std::uint8_t kVersion = 1;
    static constexpr std::uint8_t kKeyFrame = 1;
    static constexpr std::uint8_t kDiscontinuity = 2;

    ChunkKind kind = ChunkKind::accessUnit;
    std::uint8_t flags = 0;
    std::uint16_t channel = 0;
    std::uint32_t sequence = 0;
    std::uint32_t partOffset = 0;     ///< of this part in the payload, bytes
    std::uint64_t captureUs = 0;      ///< microseconds since the epoch, UTC
    std::uint32_t payloadLength = 0;  ///< of the whole payload, bytes
    bool operator==(const FrameHeader&) const = default;
};

std::array<std::uint8_t, FrameHeader::kSize> encodeHeader(const FrameHeader& header);

struct ParsedFrame {
    FrameHeader header;
    ByteView part;  ///< into the message
};
/// Reads foreign bytes: a message too short, of another version, or whose part lies outside its payload is an
/// error. Header bytes beyond the known 32 are skipped, unknown kinds and flags pass.
Result<ParsedFrame> parseFrame(ByteView message);

/// A chunk as messages of at most `partBytes` of payload each (at least one message, also for an empty
/// payload). `mark`: of the last one, see WireMessage.
std::vector<WireMessage> cutIntoParts(const Chunk& chunk, std::size_t partBytes, std::int64_t mark = 0);

}  // namespace edgecam::uplink
