#include "agent/link_fit.hpp"

#include <algorithm>

namespace edgecam::agent {

void LinkFit::Room::follow(int coded, int kbps, Monotonic now) {
    if (coded > 0 && kbps < coded) {
        tooMuch = true;
        since.reset();
    } else if (tooMuch && coded > 0 && kbps >= kRoom * coded) {
        if (!since) since = now;
        if (now - *since >= kRoomFor) tooMuch = false;
    } else {
        since.reset();
    }
}

LinkFit::Coding LinkFit::choose(const Load& load, int kbps, Monotonic now) {
    own_.follow(load.ownKbps, kbps, now);
    if (load.subKbps) sub_.follow(*load.subKbps, kbps, now);
    if (!own_.tooMuch) {
        wait_ = kFirstTry;
        roomySince_.reset();
        triesSince_.reset();
        chosen_ = Coding::own;
    } else if (!load.subKbps || sub_.tooMuch) {
        roomySince_.reset();
        chosen_ = Coding::encode;
    } else {
        chosen_ = tries(load, kbps, now) ? Coding::encode : Coding::sub;
    }
    return chosen_;
}

bool LinkFit::tries(const Load& load, int kbps, Monotonic now) {
    if (!load.ownWished || load.ownKbps <= 0) return false;
    if (triesSince_) {
        if (now - *triesSince_ < kTryFor || kbps >= kRoom * load.ownKbps) return true;
        wait_ = std::min(2 * wait_, kLongestWait);
        triesSince_.reset();
        roomySince_.reset();
    }
    if (kbps < kRoom * load.subKbps.value_or(0)) {
        roomySince_.reset();
        return false;
    }
    if (!roomySince_) roomySince_ = now;
    if (now - *roomySince_ < wait_) return false;
    triesSince_ = now;
    return true;
}

}  // namespace edgecam::agent
