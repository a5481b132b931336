#include "capture/parameter_sets.hpp"

using namespace edgecam;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const ByteView record{data, size};
    (void)capture::avcCodecString(record);
    (void)capture::hevcCodecString(record);
    for (const auto depth : {capture::avcReorderDepth(record), capture::hevcReorderDepth(record)}) {
        if (depth && (*depth < 0 || *depth > 16)) __builtin_trap();
    }
    return 0;
}
