#include "capture/source_uri.hpp"

using namespace edgecam;

// Whatever is accepted shows itself without its password.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const auto source = capture::parseSourceUri({reinterpret_cast<const char*>(data), size});
    if (!source) {
        if (source.error().message.empty()) __builtin_trap();
        return 0;
    }
    if (source->password.size() > 8 && source->shown().find(source->password) != std::string::npos)
        __builtin_trap();
    return 0;
}
