// ProxyUrl: an HTTP proxy that an uplink goes through by CONNECT, read from the config. Pure.
#pragma once

#include <string>

#include "base/result.hpp"

namespace edgecam::uplink {

struct ProxyUrl {
    std::string host;  ///< name or address, an IPv6 one without brackets
    int port = 0;
    std::string credentials;  ///< "user:password", decoded; empty: none. Never to be shown

    /// "host:port", for people and logs.
    [[nodiscard]] std::string shown() const;
    bool operator==(const ProxyUrl&) const = default;
};

/// http://[USER:PASSWORD@]HOST:PORT. No error quotes the text, which may hold a password.
Result<ProxyUrl> parseProxyUrl(const std::string& text);

}  // namespace edgecam::uplink
