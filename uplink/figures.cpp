#include "uplink/figures.hpp"

#include <algorithm>

namespace edgecam::uplink {

std::string laneName(std::size_t lane) {
    constexpr std::array kNames{"answers", "events", "video", "replay", "lossy", "bulk"};
    return lane < kNames.size() ? kNames[lane] : "lane_" + std::to_string(lane);
}

void ServiceFigures::add(const ConnectionFigures& open) {
    addEnded(open);
    if (open.authenticated) ++peers[open.role];
    if (open.link) link = open.link;
    for (std::size_t lane = 0; lane < lanes.size(); ++lane) {
        lanes[lane].depth += open.lanes[lane].depth;
        lanes[lane].bytes += open.lanes[lane].bytes;
        lanes[lane].age = std::max(lanes[lane].age, open.lanes[lane].age);
    }
}

void ServiceFigures::addEnded(const ConnectionFigures& ended) {
    for (std::size_t lane = 0; lane < lanes.size(); ++lane) lanes[lane].dropped += ended.lanes[lane].dropped;
    traffic.bytesIn += ended.traffic.bytesIn;
    traffic.bytesOut += ended.traffic.bytesOut;
    traffic.messagesIn += ended.traffic.messagesIn;
    traffic.messagesOut += ended.traffic.messagesOut;
    for (const auto& [code, error] : ended.errors) errors[code] += error.count;
    eventAcks.add(ended.eventAcks);
    mediaAcks.add(ended.mediaAcks);
}

}  // namespace edgecam::uplink
