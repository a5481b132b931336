// LocalServer: the box's own port. Serves the page, /healthz, /metrics and the WebSocket /v1/stream on a
// thread of its own. With uplink_client and websocket_loop the only user of libwebsockets.
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/clock.hpp"
#include "base/result.hpp"
#include "uplink/access.hpp"
#include "uplink/denial.hpp"
#include "uplink/peer_exchange.hpp"
#include "uplink/tls_settings.hpp"

namespace edgecam::uplink {

struct LocalServerSettings {
    std::string address = "127.0.0.1";  ///< numeric IPv4 or IPv6 address, or "*" for all
    int port = 8080;                    ///< 0: any free one; see LocalServer::port()
    int listener =
        -1;         ///< a descriptor that listens already, which is taken over; else address and port count
    ServerTls tls;  ///< without files: plain HTTP and ws
    std::string webRoot;  ///< folder of the page; empty: no page
    std::vector<std::string>
        allowedOrigins;  ///< besides none and the same host, e.g. "https://console.example"
    std::vector<std::string> allowedHosts;  ///< besides addresses, localhost, our name, *.local
    std::size_t maxConnections = 100;       ///< authenticated ones; up to 32 more may be on their way
    std::size_t maxPerAddress = 50;         ///< of one address or IPv6 network, authenticated or not
    /// Numeric addresses of reverse proxies whose X-Forwarded-For tells for whom they ask.
    std::vector<std::string> trustedProxies;
    SessionLimits session;
    SessionOrigin origin;  ///< for every session, but for the address, which is its own
    /// Gives the text of GET /metrics, for what the client may see; called on the server's thread. Loopback
    /// clients see all, others what their Bearer token's grant covers. Empty: there is no such page.
    std::function<std::string(const Grant&)> metrics;
    /// Hears of everybody who is turned away; called on the server's thread.
    std::function<void(Denial)> denied;
};

class LocalServer {
  public:
    /// Binds and starts serving; `exchange`, `access`, `commands`, `clock` must outlive the server. Fails
    /// when the address is not ours or in use, or a file of TLS cannot be used, and says so. `health` is
    /// called on the server's thread for GET /healthz: a JSON object and whether all is well (200 or 503).
    struct Health {
        bool ok = true;
        std::string json;
    };
    static Result<std::unique_ptr<LocalServer>> start(LocalServerSettings settings, const Access& access,
                                                      PeerExchange& exchange, CommandSink& commands,
                                                      const Clock& clock, std::function<Health()> health);
    virtual ~LocalServer() =
        default;  ///< tells the peers (going_away), closes, joins the thread; at most 2 s

    [[nodiscard]] virtual int port() const = 0;
};

}  // namespace edgecam::uplink
