// UplinkClient: one connection to a hub, dialled again for ever, to another hub where there is one. Own
// libwebsockets context and thread, since name lookup blocks the thread. When the hub has answered it runs
// the same PeerSession as the local server.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "base/clock.hpp"
#include "base/result.hpp"
#include "uplink/data_plan.hpp"
#include "uplink/endpoints.hpp"
#include "uplink/peer_exchange.hpp"
#include "uplink/proxy_url.hpp"
#include "uplink/tls_settings.hpp"
#include "uplink/uplink_status.hpp"

namespace edgecam::uplink {

struct UplinkSettings {
    std::string name;  ///< of the uplink, for people
    /// The hubs to choose from, shared with the uplink's other connections. Redirects are not followed, and
    /// the environment's http_proxy is not used: what an uplink talks to is in its config alone.
    std::shared_ptr<Endpoints> endpoints;
    HubCredentials hub;
    JournalLine* journal = nullptr;  ///< where durable events come from; outlives the client. Null: nowhere
    std::string caFile;              ///< PEM: only these authorities are believed; empty: the system's
    ClientTls tls;                   ///< what the box shows of itself to hubs that ask
    std::optional<ProxyUrl> proxy;   ///< the way to all hubs; these find their own addresses
    SessionLimits session;
    SessionOrigin origin;  ///< but for the address, which is the hub's URL
    Microseconds firstDelay = std::chrono::milliseconds(500);  ///< back-off: doubling from here, full jitter
    Microseconds maxDelay = std::chrono::seconds(60);
    Microseconds pingAfter = std::chrono::seconds(10);  ///< of silence; whole seconds
    Microseconds deadAfter = std::chrono::seconds(25);  ///< of silence; whole seconds, beyond pingAfter
    /// False: video enters the socket whenever that takes it. Only to measure what the rule is worth.
    bool holdsVideoBack = true;
    bool followsLink = true;                            ///< video is asked to follow what the link carries
    Microseconds videoWait = RateTuning{}.pictureWait;  ///< of a picture for the link
    int mostVideoKbps = 0;                              ///< on a metered link; 0: as much as it carries
    DataPlan* plan = nullptr;        ///< of a metered link, shared by the uplink's connections; outlives all
    std::function<double()> chance;  ///< for the jitter: 0 up to 1; empty: the system's random numbers
    std::string threadName = "uplink-0";
};

class UplinkClient {
  public:
    /// Starts dialling. Fails only for a file of TLS that cannot be used. All references must outlive the
    /// client. `onStatus` is called on the uplink's thread; the log of changes is its business.
    static Result<std::unique_ptr<UplinkClient>> start(UplinkSettings settings, PeerExchange& exchange,
                                                       CommandSink& commands, const Clock& clock,
                                                       std::function<void(const UplinkStatus&)> onStatus);
    virtual ~UplinkClient() =
        default;  ///< closes (1001), joins the thread; waits at most 2 s, or for a name lookup
};

}  // namespace edgecam::uplink
