#include "uplink/frame_header.hpp"

using namespace edgecam;

// What parses says the same of itself when written again.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const auto frame = uplink::parseFrame({data, size});
    if (!frame) return 0;
    const auto bytes = uplink::encodeHeader(frame->header);
    const auto again = uplink::parseFrame(uplink::WireMessage::binary(bytes, frame->part).bytes());
    if (!again || !(again->header == frame->header)) __builtin_trap();
    return 0;
}
