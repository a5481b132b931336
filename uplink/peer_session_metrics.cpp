// PeerSession: what it counts, and who hears it.
#include <algorithm>

#include "uplink/message_metrics.hpp"
#include "uplink/peer_session_core.hpp"

namespace edgecam::uplink {

ConnectionFigures Session::figures() {
    ConnectionFigures figures{.authenticated = authenticated_,
                              .role = grant_.role,
                              .age = now() - openedAt_,
                              .traffic = traffic_,
                              .errors = errors_,
                              .eventAcks = eventAcks_,
                              .mediaAcks = mediaAcks_ ? mediaAcks_->delays() : Delays{},
                              .link = link_};
    for (std::size_t index = 0; index < figures.lanes.size(); ++index) {
        const auto lane = static_cast<Lane>(index);
        figures.lanes[index] = lanes_.use(lane, now());
    }
    for (VideoStream& stream : streams_.all()) {
        figures.streams.push_back({stream.cameraId, stream.form, stream.channel, stream.meter.kbps(now())});
    }
    return figures;
}

void Session::noteError(const Message& message) {
    if (!message.refusal) return;
    ErrorFigures& error = errors_[message.refusal->code];
    ++error.count;
    error.lastText = message.refusal->message;
    error.lastAt = around_.clock.utc();
}

void Session::answerMetrics(const Id& id) {
    const auto covered = [this](const std::string& cameraId) { return grant_.covers(cameraId); };
    answer(id, metricsMessage(id_, figures(), around_.agent, covered, around_.clock.utc()));
}

void Session::figuresChanged() {
    if (!authenticated_ || closeWish_) return;
    // The journal's state comes with the figures.
    if (subscription_.wants("", "system")) tellStatusIfChanged();
    std::set<std::string> wanted;
    for (const auto& [cameraId, status] : around_.agent.cameras) {
        if (grant_.covers(cameraId) && subscription_.admitsMetrics(cameraId, now())) wanted.insert(cameraId);
    }
    if (wanted.empty()) return;
    const auto shown = [&](const std::string& cameraId) { return wanted.contains(cameraId); };
    send(metricsMessage(id_, figures(), around_.agent, shown, around_.clock.utc()), Lane::lossy);
}

}  // namespace edgecam::uplink
