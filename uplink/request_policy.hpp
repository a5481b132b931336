// RequestPolicy: which requests a browser may make here. The Host check keeps out pages of foreign names that
// point at our address (DNS rebinding), the Origin check keeps out foreign pages. Pure; knows no socket.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace edgecam::uplink {

/// Immutable after construction, so thread-safe.
class RequestPolicy {
  public:
    /// `ownName`: this machine's host name. Listed hosts are names, with a port where only that port is
    /// meant; listed origins are whole, e.g. "https://console.example".
    RequestPolicy(std::vector<std::string> allowedOrigins, std::vector<std::string> allowedHosts,
                  std::string ownName);

    /// `host` is the header's value: an address, localhost, our name, *.local, or listed. Empty: refused.
    [[nodiscard]] bool hostAllowed(std::string_view host) const;
    /// `origin` is the header's value, empty when it is absent: absent, same as Host, or listed.
    [[nodiscard]] bool originAllowed(std::string_view origin, std::string_view host) const;

  private:
    std::vector<std::string> allowedOrigins_;
    std::vector<std::string> allowedHosts_;
    std::string ownName_;
};

/// The token of an `Authorization: Bearer TOKEN` header (RFC 6750 section 2.1); nothing for another scheme.
std::optional<std::string> bearerToken(std::string_view authorization);

/// Whether a numeric address is of this machine alone: 127.0.0.0/8, ::1, or the former as IPv6 writes it.
bool isLoopback(const std::string& address);

/// This machine's host name; empty when it has none.
std::string machineName();

}  // namespace edgecam::uplink
