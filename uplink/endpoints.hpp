// Endpoints: the hubs that an uplink may dial, and which of them to dial next: spread over those that work,
// away from those that do not. Shared by an uplink's connections. Knows no socket.
#pragma once

#include <mutex>
#include <optional>
#include <vector>

#include "uplink/back_off.hpp"
#include "uplink/hub_url.hpp"

namespace edgecam::uplink {

/// Thread-safe.
class Endpoints {
  public:
    /// A hub that failed is dialled only when there is no better one, for so long.
    static constexpr Microseconds kFailureLasts = std::chrono::seconds(60);

    /// At least one URL. `chance` is called under a lock.
    Endpoints(std::vector<HubUrl> urls, BackOff::Chance chance);

    /// The least used of those that did not fail lately, a random one among equals; when all did, the one
    /// that failed first. It counts as in use until failed().
    std::size_t choose(Monotonic now);
    /// A connection is live: an older failure counts no more.
    void works(std::size_t endpoint);
    /// A connection or a try ended by itself.
    void failed(std::size_t endpoint, Monotonic now);
    /// Whether one is left that did not fail lately: then there is no need to wait before dialling.
    [[nodiscard]] bool anyFresh(Monotonic now) const;

    [[nodiscard]] const HubUrl& url(std::size_t endpoint) const { return hubs_[endpoint].url; }
    [[nodiscard]] std::size_t count() const { return hubs_.size(); }

  private:
    struct Hub {
        HubUrl url;  ///< never changes
        int uses = 0;
        std::optional<Monotonic> failedAt;

        [[nodiscard]] bool fresh(Monotonic now) const {
            return !failedAt || now >= *failedAt + kFailureLasts;
        }
    };

    mutable std::mutex mutex_;
    std::vector<Hub> hubs_;
    BackOff::Chance chance_;
};

}  // namespace edgecam::uplink
