// UplinkStatus: where one uplink stands, for people, peers and metrics. A value that crosses threads; it
// knows no socket.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "base/clock.hpp"

namespace edgecam::uplink {

/// What one of several connections of an agent to a hub is for.
enum class Purpose { all, events, media };
/// The wire's word.
const char* nameOf(Purpose purpose);

enum class UplinkState { connecting, authenticating, live, backingOff, rejected };
inline constexpr std::size_t kUplinkStateCount = 5;
/// The wire's word, e.g. "backing_off".
const char* nameOf(UplinkState state);

struct UplinkStatus {
    std::string name;  ///< of the uplink, for people
    Purpose purpose = Purpose::all;
    std::string url;  ///< of the hub that is dialled or was dialled last, without credentials
    UplinkState state = UplinkState::connecting;
    std::string reason;  ///< why it is not live, a sentence; empty when it is
    std::uint64_t attempts = 0;
    Microseconds retryIn{0};  ///< backingOff and rejected: how long from this report
    /// The same by the wall clock, for peers; nothing where nothing is due.
    std::optional<Utc> retryAt;

    /// Unique among the agent's connections to hubs: an uplink may have one for each purpose.
    [[nodiscard]] std::string id() const {
        return purpose == Purpose::all ? name : name + "/" + nameOf(purpose);
    }
    /// What peers are told at once; that another attempt was made is nothing by itself.
    [[nodiscard]] bool saysTheSameAs(const UplinkStatus& other) const {
        return state == other.state && reason == other.reason && retryAt == other.retryAt && url == other.url;
    }
};

}  // namespace edgecam::uplink
