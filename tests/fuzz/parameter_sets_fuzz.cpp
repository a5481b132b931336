#include "capture/parameter_sets.hpp"

using namespace edgecam;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const ByteView record{data, size};
    (void)capture::avcCodecString(record);
    (void)capture::hevcCodecString(record);
    for (const auto depth : {capture::avcReorderDepth(record), capture::hevcReorderDepth(record)}) {
        if (depth && (*depth < 0 || *depth > 16)) __builtin_trap();
    }
    if (const auto plain = capture::avcWithReorderDepth(record, 0)) {
        if (capture::avcReorderDepth(*plain) != 0) __builtin_trap();
        // What was said before can be said again, and nothing else is lost.
        const auto said = capture::avcReorderDepth(record).value_or(-1);
        const auto again = capture::avcWithReorderDepth(*plain, said);
        if (!again || capture::avcReorderDepth(*again) != said) __builtin_trap();
        if (capture::avcWithReorderDepth(*again, 0) != plain) __builtin_trap();
    }
    return 0;
}
