#include "uplink/doorkeeper.hpp"

#include <algorithm>
#include <utility>

namespace edgecam::uplink {

Doorkeeper::Doorkeeper(const std::vector<std::string>& trustedProxies, std::function<void(Denial)> denied,
                       const Clock& clock)
    : denied_(std::move(denied)), clock_(clock), book_(AddressBook::Limits()) {
    for (const std::string& proxy : trustedProxies) {
        if (const auto address = IpAddress::parse(proxy)) proxies_.push_back(*address);
    }
}

void Doorkeeper::arrived(const lws* socket, const IpAddress& from) {
    const bool asProxy = std::ranges::find(proxies_, from) != proxies_.end();
    visitors_[socket] = {.from = from, .speaksFor = from, .asProxy = asProxy};
}

// A proxy may ask for somebody else with each request on a connection that it keeps.
void Doorkeeper::asked(const lws* socket, std::string_view forwarded) {
    const auto found = visitors_.find(socket);
    if (found == visitors_.end()) return;
    Visitor& visitor = found->second;
    if (std::ranges::find(proxies_, visitor.from) == proxies_.end()) return;
    const auto client = forwardedFor(forwarded);
    visitor.asProxy = !client;
    visitor.speaksFor = client.value_or(visitor.from);
}

void Doorkeeper::left(const lws* socket) {
    visitors_.erase(socket);
}

const Doorkeeper::Visitor& Doorkeeper::visitor(const lws* socket) const {
    static const Visitor nobody;
    const auto found = visitors_.find(socket);
    return found == visitors_.end() ? nobody : found->second;
}

std::string Doorkeeper::addressOf(const lws* socket) const {
    return visitor(socket).speaksFor.text();
}

bool Doorkeeper::isProxy(const lws* socket) const {
    return visitor(socket).asProxy;
}

bool Doorkeeper::sameAddress(const lws* one, const lws* other) const {
    return visitor(one).speaksFor.network() == visitor(other).speaksFor.network();
}

// So an address that crowds in pushes out itself, not those of whom there are few.
lws* Doorkeeper::whoGivesWay(const std::vector<lws*>& oldestFirst) const {
    struct Crowd {
        std::size_t size = 0;
        lws* oldest = nullptr;
    };
    std::map<IpAddress, Crowd> crowds;
    Crowd largest{.size = 1, .oldest = oldestFirst.front()};
    for (lws* socket : oldestFirst) {
        if (isProxy(socket)) continue;  // perhaps somebody else each
        Crowd& crowd = crowds[visitor(socket).speaksFor.network()];
        if (crowd.size++ == 0) crowd.oldest = socket;
        if (crowd.size > largest.size) largest = crowd;
    }
    return largest.oldest;
}

Microseconds Doorkeeper::waitOf(const lws* socket) const {
    return book_.waitOf(visitor(socket).speaksFor, clock_.monotonic());
}

void Doorkeeper::wrongToken(const lws* socket) {
    const IpAddress& from = visitor(socket).speaksFor;
    const Monotonic now = clock_.monotonic();
    book_.wrongToken(from, now);
    if (book_.waitOf(from, now) == Microseconds(0)) return;
    if (const auto verdict = guessers_.ask(now); verdict.write) {
        logWarning("uplink", "too many wrong tokens from ", from.text(),
                   ": it is not listened to for a while, ", verdict.keptBack, " more before it");
    }
}

void Doorkeeper::deny(Denial why) const {
    if (denied_) denied_(why);
}

}  // namespace edgecam::uplink
