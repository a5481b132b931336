#include "uplink/service_timer.hpp"

#include <libwebsockets.h>

#include <utility>

namespace edgecam::uplink {

// libwebsockets hands a timer's callback nothing but the address of its list node.
struct ServiceTimer::Node {
    lws_sorted_usec_list_t sul;
    ServiceTimer* timer;

    static void ring(lws_sorted_usec_list_t* sul) noexcept {
        ServiceTimer* timer = lws_container_of(sul, Node, sul)->timer;
        timer->running_ = false;
        timer->expired_();
    }
};

ServiceTimer::ServiceTimer(lws_context* context, std::function<void()> expired)
    : context_(context), expired_(std::move(expired)), node_(new Node{{}, this}) {}

ServiceTimer::~ServiceTimer() {
    if (running_) lws_sul_schedule(context_, 0, &node_->sul, nullptr, LWS_SET_TIMER_USEC_CANCEL);
}

void ServiceTimer::start(Microseconds delay) {
    running_ = true;
    lws_sul_schedule(context_, 0, &node_->sul, &Node::ring, delay.count());
}

}  // namespace edgecam::uplink
