#include <algorithm>
#include <array>
#include <string>
#include <string_view>

#include "base/foreign_words.hpp"
#include "tests/fuzz/lines.hpp"
#include "uplink/connect_faults.hpp"
#include "uplink/proxy_reply.hpp"
#include "uplink/proxy_url.hpp"

using namespace edgecam;

namespace {

void require(bool holds) {
    if (!holds) __builtin_trap();
}

bool plain(std::string_view text) {
    return std::ranges::all_of(text, [](char c) { return c >= ' ' && c <= '~'; });
}

constexpr std::array<std::string_view, 4> kRefusals{"not a proxy's address: ", "a proxy's address begins ",
                                                    "a host longer than ", "user name and password of "};

void checkProxy(const std::string& text) {
    const auto proxy = uplink::parseProxyUrl(text);
    if (!proxy) {
        // One of these sentences, none of the text: it may hold a password.
        const auto& why = proxy.error().message;
        const auto begins = [&](std::string_view words) { return why.starts_with(words); };
        require(std::ranges::any_of(kRefusals, begins) && why.size() < 110);
        return;
    }
    require(proxy->port > 0 && proxy->port < 65536 && !proxy->host.empty());
    // libwebsockets takes all up to the last '@' for credentials, and the host to the next ':' or ']'.
    require(plain(proxy->host) && proxy->host.find_first_of("@/[] ") == std::string::npos);
    const auto colon = proxy->credentials.find(':');
    require(proxy->credentials.empty() || (colon != std::string::npos && colon > 0));
    require(plain(proxy->shown()) && proxy->shown().find('@') == std::string::npos);
}

void checkReply(std::string_view head) {
    const int status = uplink::proxyStatusOf(head);
    require(status >= 0 && status <= 999);
    if (status == 0) return;
    require(head.starts_with("HTTP/1."));
    require(head.substr(9, 3) == std::to_string(1000 + status).substr(1));
    require(plain(uplink::proxyFault(status, "proxy:3128")));
}

void checkWords(std::string_view words) {
    const auto inQuotes = quoted(words, 120);
    require(plain(inQuotes) && inQuotes.size() <= 122 && std::ranges::count(inQuotes, '"') == 2);
    const auto sentence = uplink::connectFault(words, {}, false);
    require(plain(sentence) && !sentence.empty() && sentence.size() <= 600);
}

}  // namespace

// Lines: a proxy's address, and what a hub gives for a reason; then what a proxy answers to CONNECT.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    std::string_view rest = fuzz::textOf(data, size);
    checkProxy(std::string(fuzz::nextLine(rest)));
    checkWords(fuzz::nextLine(rest));
    checkReply(rest);
    checkWords(rest);
    return 0;
}
