#include "uplink/wire_message.hpp"

namespace edgecam::uplink {

WireMessage::WireMessage(bool binary, ByteView head, ByteView body, std::int64_t mark,
                         std::optional<Monotonic> madeAt)
    : binary_(binary), mark_(mark), madeAt_(madeAt), buffer_(std::make_shared<ByteBuffer>()) {
    buffer_->reserve(kHeadroom + head.size() + body.size());
    buffer_->resize(kHeadroom);
    buffer_->insert(buffer_->end(), head.begin(), head.end());
    buffer_->insert(buffer_->end(), body.begin(), body.end());
}

WireMessage WireMessage::text(std::string_view json, std::int64_t mark) {
    return {false, {}, viewOf(json), mark, {}};
}

WireMessage WireMessage::binary(ByteView head, ByteView body, std::int64_t mark,
                                std::optional<Monotonic> madeAt) {
    return {true, head, body, mark, madeAt};
}

}  // namespace edgecam::uplink
