// PeerSession: news of the uplinks. A hub that is away is dialled again and again, and every try passes
// through several states: the peer hears where that settled, and at most so often.
#include <algorithm>

#include "uplink/peer_session_core.hpp"

namespace edgecam::uplink {
namespace {

/// States that are passed through within moments, or else are worth telling.
constexpr Microseconds kSettleTime = std::chrono::seconds(1);
constexpr Microseconds kLeastInterval = std::chrono::seconds(2);

bool isPassing(UplinkState state) {
    return state == UplinkState::connecting || state == UplinkState::authenticating;
}

}  // namespace

void Session::uplinkChanged(const UplinkStatus& status) {
    if (status.id() == around_.agent.ownUplink) return;  // this very connection: the hub knows
    uplinksMoved(isPassing(status.state) ? kSettleTime : Microseconds(0));
}

void Session::uplinkRemoved(const std::string&) {
    uplinksMoved(Microseconds(0));
}

void Session::uplinksMoved(Microseconds settling) {
    if (!authenticated_ || closeWish_ || !subscription_.wants("", "system")) return;
    // From the first change on: a state that changes all the time must not put the news off for ever.
    const Monotonic settled = now() + settling;
    uplinksDue_ = std::min(uplinksDue_.value_or(settled), settled);
    if (uplinksToldAt_) uplinksDue_ = std::max(*uplinksDue_, *uplinksToldAt_ + kLeastInterval);
}

/// At the next tick, not at the change: what several uplinks have to say together is one message.
void Session::tellUplinksIfDue() {
    if (!uplinksDue_ || now() < *uplinksDue_) return;
    uplinksDue_.reset();
    const auto& uplinks = around_.agent.uplinks;
    const bool known = std::ranges::equal(uplinks, toldUplinks_, [](const auto& is, const auto& told) {
        return is.first == told.first && is.second.saysTheSameAs(told.second);
    });
    if (known) return;
    toldUplinks_ = uplinks;
    uplinksToldAt_ = now();
    toldStatus_ = standing();
    send(statusMessage(around_.agent, grant_, statusWord(around_.agent, grant_, false), around_.clock));
}

}  // namespace edgecam::uplink
