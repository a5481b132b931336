// Doorkeeper: of each socket of the local server the address it speaks for, which of them count as one, and
// how that address stands with its tokens. It says who was turned away, and why. It knows sockets by their
// pointers alone, and no token.
#pragma once

#include <cstddef>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.hpp"
#include "base/log.hpp"
#include "uplink/address_book.hpp"
#include "uplink/denial.hpp"
#include "uplink/ip_address.hpp"

struct lws;

namespace edgecam::uplink {

/// Thread-bound (the server's thread).
class Doorkeeper {
  public:
    /// `trustedProxies`: numeric addresses whose `X-Forwarded-For` is believed. `denied`: may be empty.
    Doorkeeper(const std::vector<std::string>& trustedProxies, std::function<void(Denial)> denied,
               const Clock& clock);

    void arrived(const lws* socket, const IpAddress& from);
    /// A request of this socket came with this `X-Forwarded-For`; empty: with none.
    void asked(const lws* socket, std::string_view forwardedFor);
    void left(const lws* socket);

    /// Nobody in particular yet: a trusted proxy that has not said whom it asks for.
    [[nodiscard]] bool isProxy(const lws* socket) const;
    /// For whom it speaks, numeric.
    [[nodiscard]] std::string addressOf(const lws* socket) const;
    /// Both speak for the same address, or IPv6 network.
    [[nodiscard]] bool sameAddress(const lws* one, const lws* other) const;

    /// Who gives way of these, the oldest first and at least one: the oldest of the address that has most of
    /// them.
    [[nodiscard]] lws* whoGivesWay(const std::vector<lws*>& oldestFirst) const;

    /// How long until a token from there is looked at; 0: now.
    [[nodiscard]] Microseconds waitOf(const lws* socket) const;
    void wrongToken(const lws* socket);
    void deny(Denial why) const;

  private:
    struct Visitor {
        IpAddress from;  ///< of the socket
        IpAddress speaksFor;
        bool asProxy = false;
    };
    [[nodiscard]] const Visitor& visitor(const lws* socket) const;

    std::vector<IpAddress> proxies_;
    const std::function<void(Denial)> denied_;
    const Clock& clock_;
    std::map<const lws*, Visitor> visitors_;
    AddressBook book_;
    LogThrottle guessers_;
};

}  // namespace edgecam::uplink
