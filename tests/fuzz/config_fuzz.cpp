#include "agent/config.hpp"

using namespace edgecam;

// A config is read whole or refused with a sentence.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const auto config = agent::parseConfig({reinterpret_cast<const char*>(data), size}, "/etc/edgecam");
    if (!config && config.error().message.empty()) __builtin_trap();
    return 0;
}
