// PeerSession: what a metered link's plan allows. Past it key frames only, then no video at all: the wishes
// stand, and come true again by themselves.
#include <utility>

#include "uplink/peer_session_core.hpp"

namespace edgecam::uplink {
namespace {

/// E.g. "2026-08-01".
std::string dayOf(Utc time) {
    const std::chrono::year_month_day day(std::chrono::floor<std::chrono::days>(time));
    const auto twoDigits = [](unsigned number) { return concat(number < 10 ? "0" : "", number); };
    return concat(static_cast<int>(day.year()), "-", twoDigits(static_cast<unsigned>(day.month())), "-",
                  twoDigits(static_cast<unsigned>(day.day())));
}

}  // namespace

/// For people; empty while everything may go.
std::string Session::planReason() const {
    if (planState() == PlanState::within) return {};
    const char* what = planState() == PlanState::keyFrames ? "key frames only" : "events only";
    const std::string until = plan_->until ? "until " + dayOf(*plan_->until) : "until the next month";
    return concat("the uplink's data plan of this month is used up: ", what, " ", until);
}

void Session::followPlan(const PlanFigures& plan) {
    const PlanState before = planState();
    plan_ = plan;
    if (plan.state == before || closeWish_) return;
    const bool thinned = plan.state == PlanState::keyFrames;
    lanes_.onlyKeyFrames(thinned ? std::optional(kPlanKeyFrames) : std::nullopt);
    if (plan.state == PlanState::eventsOnly) letVideoGo();
    for (const VideoStream& stream : streams_.all()) {
        if (stream.form == StreamForm::cmaf) submitSilently(stream.cameraId, FollowPlan{thinned});
    }
    if (before == PlanState::eventsOnly) bringVideoBack();
    for (VideoStream& stream : streams_.all()) tellStream(stream);
}

/// No video now. What asked for it stands: as `streaming` without a channel, as where a camera is down.
void Session::holdStart(const Request& request, const std::string& cameraId, const StartStream& action) {
    VideoStream& stream = streams_.wish(cameraId, action.form, 0);
    stream.asked = action;
    settle(request, cameraId, streamStatusMessage(reportOf(cameraId, &stream), around_.clock.utc()));
}

void Session::letVideoGo() {
    for (VideoStream& stream : streams_.all()) {
        streams_.detach(stream);
        submitSilently(stream.cameraId, StopStream{stream.form});
    }
}

/// A start of its own for each: what is granted begins with a key frame.
void Session::bringVideoBack() {
    for (VideoStream& stream : streams_.all()) {
        const auto request = std::make_shared<OpenRequest>();
        request->open = 1;
        stream.wish = issue(request, stream.cameraId, stream.asked);
        command(request, stream.wish, stream.cameraId, stream.asked);
    }
}

}  // namespace edgecam::uplink
