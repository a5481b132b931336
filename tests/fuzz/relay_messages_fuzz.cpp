#include <cstddef>
#include <cstdint>

#include "uplink/relay_messages.hpp"

using namespace edgecam;

// What the process of the viewers says to the agent: whoever took that process over may write what he likes
// here.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (const auto message = uplink::toAgentFrom({data, size})) {
        // What was understood is said in the same bytes again, but for numbers that had room for more.
        const auto again = uplink::toAgentFrom(uplink::toBytes(*message));
        if (!again || again->index() != message->index()) __builtin_trap();
    }
    (void)uplink::toViewersFrom({data, size});
    return 0;
}
