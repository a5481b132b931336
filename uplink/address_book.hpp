// AddressBook: which addresses said wrong tokens lately, and how long each has to wait until another of its
// tokens is even looked at. Bounded: of very many addresses the ones that were wrong longest ago are
// forgotten. Pure; knows no socket and no token.
#pragma once

#include <cstddef>
#include <list>
#include <map>

#include "base/clock.hpp"
#include "uplink/ip_address.hpp"
#include "uplink/token_bucket.hpp"

namespace edgecam::uplink {

/// Addresses are counted by IpAddress::network().
class AddressBook {
  public:
    struct Limits {
        double triesAtOnce = 10;  ///< wrong tokens of one address, then
        Microseconds oneIn = std::chrono::seconds(6);
        std::size_t remembered = 1024;  ///< addresses
    };

    explicit AddressBook(const Limits& limits) : limits_(limits) {}

    /// 0: a token of this address may be compared now.
    [[nodiscard]] Microseconds waitOf(const IpAddress& from, Monotonic now) const;
    void wrongToken(const IpAddress& from, Monotonic now);

    [[nodiscard]] std::size_t size() const { return pages_.size(); }

  private:
    struct Page {
        TokenBucket tries;
        std::list<IpAddress>::iterator place;
    };
    void forgetOldest();

    const Limits limits_;
    std::map<IpAddress, Page> pages_;
    std::list<IpAddress> order_;  ///< who was wrong longest ago comes first
};

}  // namespace edgecam::uplink
