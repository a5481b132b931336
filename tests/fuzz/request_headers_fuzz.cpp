#include <algorithm>
#include <array>
#include <cstdint>
#include <string>
#include <string_view>

#include "uplink/http_files.hpp"
#include "uplink/ip_address.hpp"
#include "uplink/request_policy.hpp"

using namespace edgecam::uplink;

// The headers of a stranger's request, one a line: Host, Origin, Authorization, X-Forwarded-For.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    static const RequestPolicy policy({"https://console.example"}, {"camera.example:8443"}, "edgebox");
    std::string_view rest(reinterpret_cast<const char*>(data), size);
    std::array<std::string_view, 4> headers;
    for (std::string_view& header : headers) {
        header = rest.substr(0, rest.find('\n'));
        rest.remove_prefix(std::min(rest.size(), header.size() + 1));
    }
    const auto [host, origin, authorization, forwarded] = headers;
    (void)policy.hostAllowed(host);
    (void)policy.originAllowed(origin, host);
    const auto token = bearerToken(authorization);
    if (token && (token->empty() || token->front() == ' ' || token->back() == ' ')) __builtin_trap();
    const auto client = forwardedFor(forwarded);
    if (client && client->network().network() != client->network()) __builtin_trap();
    // Whatever the host, it ends neither its line nor its rule.
    const std::string lines = pageHeaders(host);
    if (std::ranges::count(lines, '\n') != std::ranges::count(pageHeaders("a"), '\n')) __builtin_trap();
    if (std::ranges::count(lines, ';') != std::ranges::count(pageHeaders("a"), ';')) __builtin_trap();
    return 0;
}
