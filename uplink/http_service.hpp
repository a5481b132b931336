// HttpService: what the local server answers over HTTP (health, metrics, the page), and whether a handshake
// may become a WebSocket. It knows no viewer and no place: who is let in here may still find the house full.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "base/clock.hpp"
#include "base/log.hpp"
#include "uplink/access.hpp"
#include "uplink/doorkeeper.hpp"
#include "uplink/http_exchange.hpp"
#include "uplink/local_server.hpp"
#include "uplink/request_policy.hpp"

struct lws;

namespace edgecam::uplink {

/// Thread-bound (the server's thread). Both calls give what libwebsockets wants to hear: 0 goes on, -1 ends
/// the connection once what was written is out.
class HttpService {
  public:
    /// All but `health` must outlive this.
    HttpService(const LocalServerSettings& settings, const Access& access, Doorkeeper& door,
                const Clock& clock, std::function<LocalServer::Health()> health);

    /// LWS_CALLBACK_FILTER_PROTOCOL_CONNECTION
    int admitUpgrade(lws* socket);
    /// LWS_CALLBACK_HTTP
    int serve(lws* socket, std::string_view path);

  private:
    [[nodiscard]] std::optional<HttpRefusal> refusalOf(lws* socket, bool upgrade) const;
    [[nodiscard]] std::optional<std::string> answerIfTriedTooOften(lws* socket, bool withBody);
    int refuse(lws* socket, const std::string& answer, std::string_view line);
    void wrongToken(lws* socket);
    [[nodiscard]] std::optional<Grant> metricsGrant(lws* socket) const;
    int serveMetrics(lws* socket, bool head);
    int serveFile(lws* socket, std::string_view path, bool head) const;

    const LocalServerSettings& settings_;
    const Access& access_;
    Doorkeeper& door_;
    const Clock& clock_;
    const std::function<LocalServer::Health()> health_;
    const RequestPolicy policy_;
    LogThrottle refusals_;
};

}  // namespace edgecam::uplink
