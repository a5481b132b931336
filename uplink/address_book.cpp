#include "uplink/address_book.hpp"

#include <iterator>

namespace edgecam::uplink {

Microseconds AddressBook::waitOf(const IpAddress& from, Monotonic now) const {
    const auto found = pages_.find(from.network());
    return found == pages_.end() ? Microseconds(0) : found->second.tries.timeTo(1, now);
}

void AddressBook::wrongToken(const IpAddress& from, Monotonic now) {
    const IpAddress network = from.network();
    auto found = pages_.find(network);
    if (found == pages_.end()) {
        if (pages_.size() >= limits_.remembered) forgetOldest();
        const double rate = 1 / secondsOf(limits_.oneIn);
        order_.push_back(network);
        found =
            pages_
                .emplace(network, Page{TokenBucket(rate, limits_.triesAtOnce, now), std::prev(order_.end())})
                .first;
    } else {
        order_.splice(order_.end(), order_, found->second.place);
    }
    (void)found->second.tries.take(1, now);
}

void AddressBook::forgetOldest() {
    if (order_.empty()) return;
    pages_.erase(order_.front());
    order_.pop_front();
}

}  // namespace edgecam::uplink
