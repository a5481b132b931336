// PeerSession: what it counts, and who hears it.
#include <algorithm>

#include "uplink/message_analytics.hpp"
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

void Session::answerAnalytics(const Id& id) {
    const auto covered = [this](const std::string& cameraId) { return grant_.covers(cameraId); };
    answer(id, analyticsMessage(around_.agent, covered, around_.clock.utc()));
}

std::set<std::string> Session::camerasDueFor(std::string_view topic) {
    std::set<std::string> due;
    for (const auto& [cameraId, status] : around_.agent.cameras) {
        if (grant_.covers(cameraId) && subscription_.admitsFigures(cameraId, topic, now()))
            due.insert(cameraId);
    }
    return due;
}

void Session::figuresChanged() {
    if (!authenticated_ || closeWish_) return;
    // The journal's state comes with the figures.
    if (subscription_.wants("", "system")) tellStatusIfChanged();
    const auto counted = camerasDueFor("metrics");
    const auto isCounted = [&](const std::string& cameraId) { return counted.contains(cameraId); };
    if (!counted.empty())
        send(metricsMessage(id_, figures(), around_.agent, isCounted, around_.clock.utc()), Lane::lossy);
    const auto seen = camerasDueFor("analytics");
    const auto isSeen = [&](const std::string& cameraId) { return seen.contains(cameraId); };
    if (!seen.empty()) send(analyticsMessage(around_.agent, isSeen, around_.clock.utc()), Lane::lossy);
}

}  // namespace edgecam::uplink
