#include "uplink/request_policy.hpp"

#include <arpa/inet.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <utility>

namespace edgecam::uplink {
namespace {

// Header values are ASCII; the C library's tolower would ask the locale.
std::string lowered(std::string_view text) {
    std::string result(text);
    for (char& c : result) {
        if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
    }
    return result;
}

struct Authority {
    std::string name;  ///< lower case, without brackets and without a trailing dot
    std::string port;
};

// "name", "name:port", "[address]", "[address]:port" (RFC 3986 section 3.2).
std::optional<Authority> parseAuthority(std::string_view text) {
    Authority parsed;
    std::string_view rest;
    if (text.starts_with('[')) {
        const auto end = text.find(']');
        if (end == std::string_view::npos) return std::nullopt;
        parsed.name = lowered(text.substr(1, end - 1));
        rest = text.substr(end + 1);
    } else {
        const auto end = std::min(text.find(':'), text.size());
        parsed.name = lowered(text.substr(0, end));
        rest = text.substr(end);
        if (parsed.name.ends_with('.')) parsed.name.pop_back();
    }
    if (parsed.name.empty()) return std::nullopt;
    if (rest.empty()) return parsed;
    if (rest.front() != ':' || rest.size() < 2 || rest.size() > 6) return std::nullopt;
    parsed.port = rest.substr(1);
    const bool digits =
        std::all_of(parsed.port.begin(), parsed.port.end(), [](char c) { return c >= '0' && c <= '9'; });
    if (!digits) return std::nullopt;
    return parsed;
}

bool isAddress(const std::string& name) {
    std::array<unsigned char, sizeof(in6_addr)> ignored{};
    return inet_pton(AF_INET, name.c_str(), ignored.data()) == 1 ||
           inet_pton(AF_INET6, name.c_str(), ignored.data()) == 1;
}

}  // namespace

RequestPolicy::RequestPolicy(std::vector<std::string> allowedOrigins, std::vector<std::string> allowedHosts,
                             std::string ownName)
    : allowedOrigins_(std::move(allowedOrigins)),
      allowedHosts_(std::move(allowedHosts)),
      ownName_(lowered(ownName)) {
    for (auto& origin : allowedOrigins_) origin = lowered(origin);
    for (auto& host : allowedHosts_) host = lowered(host);
}

bool RequestPolicy::hostAllowed(std::string_view host) const {
    const auto asked = parseAuthority(host);
    if (!asked) return false;
    if (isAddress(asked->name) || asked->name == "localhost") return true;
    if (asked->name.ends_with(".local") || (!ownName_.empty() && asked->name == ownName_)) return true;
    return std::any_of(allowedHosts_.begin(), allowedHosts_.end(), [&](const std::string& listed) {
        const auto entry = parseAuthority(listed);
        return entry && entry->name == asked->name && (entry->port.empty() || entry->port == asked->port);
    });
}

bool RequestPolicy::originAllowed(std::string_view origin, std::string_view host) const {
    if (origin.empty()) return true;
    const std::string asked = lowered(origin);
    if (std::find(allowedOrigins_.begin(), allowedOrigins_.end(), asked) != allowedOrigins_.end())
        return true;

    const bool secure = asked.starts_with("https://");
    if (!secure && !asked.starts_with("http://")) return false;
    auto from = parseAuthority(std::string_view(asked).substr(secure ? 8 : 7));
    auto to = parseAuthority(host);
    if (!from || !to) return false;
    // A browser leaves the scheme's default port out of both headers, other clients may write it.
    const std::string usual = secure ? "443" : "80";
    if (from->port.empty()) from->port = usual;
    if (to->port.empty()) to->port = usual;
    return from->name == to->name && from->port == to->port;
}

std::optional<std::string> bearerToken(std::string_view authorization) {
    constexpr std::string_view kScheme = "bearer ";
    if (lowered(authorization.substr(0, kScheme.size())) != kScheme) return std::nullopt;
    std::string_view token = authorization.substr(kScheme.size());
    while (token.starts_with(' ')) token.remove_prefix(1);
    while (token.ends_with(' ')) token.remove_suffix(1);
    if (token.empty()) return std::nullopt;
    return std::string(token);
}

bool isLoopback(const std::string& address) {
    in_addr four{};
    if (inet_pton(AF_INET, address.c_str(), &four) == 1) return ntohl(four.s_addr) >> 24 == 127;
    in6_addr six{};
    if (inet_pton(AF_INET6, address.c_str(), &six) != 1) return false;
    return IN6_IS_ADDR_LOOPBACK(&six) || (IN6_IS_ADDR_V4MAPPED(&six) && six.s6_addr[12] == 127);
}

std::string machineName() {
    std::array<char, 256> name{};
    if (gethostname(name.data(), name.size() - 1) != 0) return {};
    return name.data();
}

}  // namespace edgecam::uplink
