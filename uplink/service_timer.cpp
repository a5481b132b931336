#include "uplink/service_timer.hpp"

#include <libwebsockets.h>

#include <algorithm>

namespace edgecam::uplink {

/// Only ends the poll in time: it is due when what waits for it has been called already.
struct ServiceTimers::Alarm {
    lws_sorted_usec_list_t sul{};
    ServiceTimers* timers = nullptr;

    static void ring(lws_sorted_usec_list_t* sul) noexcept {
        lws_container_of(sul, Alarm, sul)->timers->alarmAt_.reset();
    }
};

ServiceTimers::ServiceTimers(lws_context* context) : context_(context), alarm_(new Alarm{{}, this}) {}

ServiceTimers::~ServiceTimers() {
    end();
}

void ServiceTimers::end() {
    if (alarmAt_) lws_sul_schedule(context_, 0, &alarm_->sul, nullptr, LWS_SET_TIMER_USEC_CANCEL);
    alarmAt_.reset();
    ended_ = true;
}

void ServiceTimers::ring() {
    const Monotonic until = SystemClock().monotonic() + kEarly;
    // One that is started again meanwhile has its turn later: `until` stays what it was.
    while (!due_.empty() && due_.begin()->first <= until) {
        ServiceTimer* timer = due_.begin()->second;
        timer->stop();
        timer->expired_();
    }
    wakePoll();
}

void ServiceTimers::wakePoll() {
    if (ended_ || due_.empty() || (alarmAt_ && *alarmAt_ == due_.begin()->first)) return;
    alarmAt_ = due_.begin()->first;
    const Microseconds left = *alarmAt_ - SystemClock().monotonic();
    // Not earlier: a millisecond is what the poll takes off. What is due sooner than that is called before
    // it.
    lws_sul_schedule(context_, 0, &alarm_->sul, &Alarm::ring, std::max(left, Microseconds(1)).count());
}

void ServiceTimer::start(Microseconds delay) {
    stop();
    due_ = SystemClock().monotonic() + delay;
    timers_.due_.insert({*due_, this});
    // Started in a callback of the loop, whose next turn rings first and sets the alarm.
}

void ServiceTimer::stop() {
    if (due_) timers_.due_.erase({*due_, this});
    due_.reset();
}

}  // namespace edgecam::uplink
