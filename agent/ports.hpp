// Ports: the agent's faces towards peers, and the one place where other threads find them while the main
// thread adds some and takes some away.
#pragma once

#include <algorithm>
#include <map>
#include <memory>
#include <mutex>
#include <shared_mutex>
#include <string>
#include <utility>
#include <vector>

#include "agent/port.hpp"
#include "uplink/uplink_status.hpp"

namespace edgecam::agent {

class Ports {
  public:
    /// Any thread: `say(port)` for every port there is. It must not block, nor come back here.
    template <class Say>
    void each(const Say& say) const {
        const std::shared_lock hold(mutex_);
        for (const auto& port : ports_) say(*port);
    }

    /// Any thread: how an uplink stands, to all ports and to those that are still to come.
    void publish(const uplink::UplinkStatus& status) {
        const std::unique_lock hold(mutex_);
        uplinks_[status.id()] = status;
        for (const auto& port : ports_) port->exchange.publish(status);
    }

    /// Any thread: the newest of them all, by id.
    [[nodiscard]] std::map<std::string, uplink::UplinkStatus> uplinks() const {
        const std::shared_lock hold(mutex_);
        return uplinks_;
    }

    // Main thread only. It alone changes the list, so it may walk it without holding it, and then do what
    // takes longer.
    [[nodiscard]] const std::vector<std::shared_ptr<Port>>& all() const { return ports_; }
    /// By its uplink's id, empty: the local server's; nullptr: there is none.
    [[nodiscard]] Port* find(const std::string& uplink) const {
        const auto found =
            std::ranges::find_if(ports_, [&](const auto& port) { return port->uplink == uplink; });
        return found == ports_.end() ? nullptr : found->get();
    }
    void add(std::shared_ptr<Port> port) {
        const std::unique_lock hold(mutex_);
        for (const auto& [id, status] : uplinks_) port->exchange.publish(status);
        ports_.push_back(std::move(port));
    }
    /// After its service has ended: lets its streams go, then the port, and tells the others.
    void remove(const std::string& uplink) {
        Port* port = find(uplink);
        if (port == nullptr) return;
        port->desk.endAll();
        std::shared_ptr<Port> gone;  // destroyed outside the lock
        const std::unique_lock hold(mutex_);
        uplinks_.erase(uplink);
        const auto place = std::ranges::find_if(ports_, [&](const auto& each) { return each.get() == port; });
        gone = std::move(*place);
        ports_.erase(place);
        for (const auto& other : ports_) other->exchange.removeUplink(uplink);
    }

  private:
    mutable std::shared_mutex mutex_;
    std::vector<std::shared_ptr<Port>> ports_;
    std::map<std::string, uplink::UplinkStatus> uplinks_;
};

}  // namespace edgecam::agent
