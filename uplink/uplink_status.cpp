#include "uplink/uplink_status.hpp"

namespace edgecam::uplink {

const char* nameOf(Purpose purpose) {
    switch (purpose) {
        case Purpose::all:
            return "all";
        case Purpose::events:
            return "events";
        case Purpose::media:
            return "media";
    }
    return "all";
}

const char* nameOf(UplinkState state) {
    switch (state) {
        case UplinkState::connecting:
            return "connecting";
        case UplinkState::authenticating:
            return "authenticating";
        case UplinkState::live:
            return "live";
        case UplinkState::backingOff:
            return "backing_off";
        case UplinkState::rejected:
            return "rejected";
    }
    return "backing_off";
}

}  // namespace edgecam::uplink
