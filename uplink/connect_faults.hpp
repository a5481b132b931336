// ConnectFaults: why a hub was not reached, in words for who stands before the box and can do something.
// Pure; the numbers and words it is given are those of OpenSSL and libwebsockets.
#pragma once

#include <string>
#include <string_view>

#include "base/clock.hpp"

namespace edgecam::uplink {

/// `code`: X509_V_ERR_… of the verification of the hub's certificate, which was to be for `host`.
std::string certificateFault(int code, const std::string& host, Utc now);

/// `alert`: the number with which the hub broke the TLS handshake off (RFC 8446 section 6). `shown`: whether
/// the box has a certificate that it shows.
std::string alertFault(int alert, bool shown);

/// `status`: of HTTP, with which `proxy`, "host:port", opened no way to the hub.
std::string proxyFault(int status, const std::string& proxy);

/// `words`: what libwebsockets said. `proxy`: "host:port" of the proxy that was to be gone through; empty:
/// none. `shown`: as above.
std::string connectFault(std::string_view words, const std::string& proxy, bool shown);

}  // namespace edgecam::uplink
