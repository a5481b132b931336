#include "uplink/ip_address.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <algorithm>

namespace edgecam::uplink {
namespace {

constexpr std::size_t kNetworkBytes = 8;

}  // namespace

std::optional<IpAddress> IpAddress::parse(const std::string& text) {
    IpAddress parsed;
    in_addr four{};
    if (inet_pton(AF_INET, text.c_str(), &four) == 1) {
        parsed.bytes_[10] = parsed.bytes_[11] = 0xff;
        const auto* bytes = reinterpret_cast<const std::uint8_t*>(&four);
        std::copy(bytes, bytes + sizeof four, parsed.bytes_.begin() + 12);
        return parsed;
    }
    if (inet_pton(AF_INET6, text.c_str(), parsed.bytes_.data()) == 1) return parsed;
    return std::nullopt;
}

IpAddress IpAddress::of(const sockaddr_storage& from) {
    std::array<char, INET6_ADDRSTRLEN> text{};
    const void* address = nullptr;
    if (from.ss_family == AF_INET) address = &reinterpret_cast<const sockaddr_in&>(from).sin_addr;
    if (from.ss_family == AF_INET6) address = &reinterpret_cast<const sockaddr_in6&>(from).sin6_addr;
    if (address == nullptr) return {};
    inet_ntop(from.ss_family, address, text.data(), text.size());
    return parse(text.data()).value_or(IpAddress());
}

bool IpAddress::isIpv4() const {
    constexpr std::array<std::uint8_t, 12> kMapped{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
    return std::equal(kMapped.begin(), kMapped.end(), bytes_.begin());
}

std::string IpAddress::text() const {
    std::array<char, INET6_ADDRSTRLEN> text{};
    const auto* from = isIpv4() ? bytes_.data() + 12 : bytes_.data();
    inet_ntop(isIpv4() ? AF_INET : AF_INET6, from, text.data(), text.size());
    return text.data();
}

IpAddress IpAddress::network() const {
    if (isIpv4()) return *this;
    IpAddress rounded = *this;
    std::fill(rounded.bytes_.begin() + kNetworkBytes, rounded.bytes_.end(), std::uint8_t{0});
    return rounded;
}

std::optional<IpAddress> forwardedFor(std::string_view header) {
    std::string_view last = header.substr(header.rfind(',') + 1);
    while (last.starts_with(' ')) last.remove_prefix(1);
    while (last.ends_with(' ')) last.remove_suffix(1);
    if (last.starts_with('[')) {
        last = last.substr(1, last.find(']') - 1);
    } else if (std::ranges::count(last, ':') == 1) {
        last = last.substr(0, last.find(':'));
    }
    return IpAddress::parse(std::string(last));
}

}  // namespace edgecam::uplink
