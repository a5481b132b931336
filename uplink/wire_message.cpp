#include "uplink/wire_message.hpp"

namespace edgecam::uplink {

WireMessage::WireMessage(bool binary, ByteView head, ByteView body)
    : binary_(binary), buffer_(std::make_shared<ByteBuffer>()) {
    buffer_->reserve(kHeadroom + head.size() + body.size());
    buffer_->resize(kHeadroom);
    buffer_->insert(buffer_->end(), head.begin(), head.end());
    buffer_->insert(buffer_->end(), body.begin(), body.end());
}

WireMessage WireMessage::text(std::string_view json) {
    return {false, {}, viewOf(json)};
}

WireMessage WireMessage::binary(ByteView head, ByteView body) {
    return {true, head, body};
}

}  // namespace edgecam::uplink
