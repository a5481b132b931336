// IpAddress: a numeric address of a peer, and the network that limits count as one. Pure; knows no socket and
// no name.
#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

struct sockaddr_storage;

namespace edgecam::uplink {

class IpAddress {
  public:
    /// "192.0.2.1", "2001:db8::1"; nothing else is an address.
    static std::optional<IpAddress> parse(const std::string& text);
    /// As accept() gives it. What is neither IPv4 nor IPv6 is "::".
    static IpAddress of(const sockaddr_storage& from);

    /// IPv4 whole, whichever way it is written; of IPv6 the first 64 bits, since whoever has one address
    /// there has all of them.
    [[nodiscard]] IpAddress network() const;

    /// For a log.
    [[nodiscard]] std::string text() const;

    auto operator<=>(const IpAddress&) const = default;

  private:
    [[nodiscard]] bool isIpv4() const;

    std::array<std::uint8_t, 16> bytes_{};  ///< IPv4 as ::ffff:a.b.c.d
};

/// Whom a proxy asks for, by its `X-Forwarded-For`: the last address in it, which is the one that the proxy
/// itself saw; those before it are the client's own words. A port behind it is skipped.
std::optional<IpAddress> forwardedFor(std::string_view header);

}  // namespace edgecam::uplink
