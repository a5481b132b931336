#include "uplink/message_batch.hpp"

#include <zlib.h>

#include <algorithm>
#include <utility>

#include "uplink/frame_header.hpp"

namespace edgecam::uplink {
namespace {

/// RFC 1950. Fast rather than small: the box's CPU is the scarcer thing.
std::optional<ByteBuffer> deflated(std::string_view text) {
    ByteBuffer bytes(compressBound(text.size()));
    uLongf size = bytes.size();
    const auto* from = reinterpret_cast<const Bytef*>(text.data());
    if (compress2(bytes.data(), &size, from, text.size(), Z_BEST_SPEED) != Z_OK) return std::nullopt;
    bytes.resize(size);
    return bytes;
}

}  // namespace

void MessageBatch::add(std::string_view text, std::int64_t mark, Monotonic dueAt) {
    dueAt_ = empty() ? dueAt : std::min(dueAt_, dueAt);
    if (!empty()) texts_ += ',';
    texts_ += text;
    mark_ = std::max(mark_, mark);
    ++count_;
}

bool MessageBatch::due(Monotonic now) const {
    return !empty() && (now >= dueAt_ || texts_.size() >= kMaxBytes);
}

WireMessage MessageBatch::take(bool deflate) {
    const std::string texts = std::exchange(texts_, {});
    const std::int64_t mark = std::exchange(mark_, 0);
    if (std::exchange(count_, 0) == 1) return WireMessage::text(texts, mark);
    const std::string batch = R"({"type":"batch","data":{"messages":[)" + texts + "]}}";
    const auto packed = deflate ? deflated(batch) : std::nullopt;
    if (!packed || packed->size() + FrameHeader::kSize >= batch.size()) return WireMessage::text(batch, mark);
    FrameHeader header;
    header.kind = ChunkKind::deflatedJson;
    header.payloadLength = static_cast<std::uint32_t>(packed->size());
    return WireMessage::binary(encodeHeader(header), *packed, mark);
}

}  // namespace edgecam::uplink
