#include <algorithm>
#include <cctype>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <string>
#include <string_view>

#include "tests/fuzz/lines.hpp"
#include "uplink/http_files.hpp"
#include "uplink/hub_url.hpp"
#include "uplink/ip_address.hpp"
#include "uplink/request_policy.hpp"

using namespace edgecam;
using fuzz::nextLine;

namespace {

/// A page of one file, and a secret beside it.
std::string pageRoot() {
    const auto folder = std::filesystem::temp_directory_path() / "edgecam-fuzz-page";
    std::filesystem::create_directories(folder / "root");
    std::ofstream(folder / "root/index.html") << "page";
    std::ofstream(folder / "secret.html") << "secret";
    return (folder / "root").string();
}

}  // namespace

// Lines: Host, Origin, Authorization, X-Forwarded-For, the path of a page's file, a hub's URL. What is let in
// must be what the rules say, however it is written.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    static const std::string root = pageRoot();
    static const uplink::RequestPolicy policy({"https://console.example"}, {"box.example:8080"}, "box");
    std::string_view rest = fuzz::textOf(data, size);
    const auto host = nextLine(rest);
    const auto origin = nextLine(rest);
    // "evil" may stand in what is in front of a .local name, and nowhere else.
    std::string lower(host);
    std::ranges::transform(lower, lower.begin(), [](unsigned char c) { return std::tolower(c); });
    const bool local = lower.find(".local") != std::string::npos;
    if (policy.hostAllowed(host) && !local && host.find("evil") != std::string_view::npos) __builtin_trap();
    (void)policy.originAllowed(origin, host);
    const bool same = !origin.empty() && policy.originAllowed(origin, "box:8080");
    if (same && origin.find("evil") != std::string_view::npos) __builtin_trap();
    const auto token = uplink::bearerToken(nextLine(rest));
    if (token && (token->empty() || token->front() == ' ' || token->back() == ' ')) __builtin_trap();
    const auto client = uplink::forwardedFor(nextLine(rest));
    if (client && client->network().network() != client->network()) __builtin_trap();
    const auto file = uplink::findPageFile(root, nextLine(rest));
    if (file && file->path.find("secret") != std::string::npos) __builtin_trap();
    // Whatever the host, it ends neither its line nor its rule.
    for (const char mark : {'\n', ';'}) {
        if (std::ranges::count(uplink::pageHeaders(host), mark) !=
            std::ranges::count(uplink::pageHeaders("a"), mark))
            __builtin_trap();
    }
    if (const auto url = uplink::parseHubUrl(std::string(nextLine(rest)))) {
        const bool broken =
            url->path.find_first_of("\r\n ") != std::string::npos || url->port < 1 || url->port > 65535;
        if (broken || url->shown.find('?') != std::string::npos) __builtin_trap();
    }
    return 0;
}
