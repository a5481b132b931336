#include "capture/sub_source.hpp"

#include <utility>

#include "base/log.hpp"

namespace edgecam::capture {

SubSource::SubSource(std::string name, const SourceUri& uri, PictureLimits limits,
                     std::shared_ptr<CameraCount> count, bool enabled, const Clock& clock,
                     LiveSource::Callbacks callbacks)
    : name_(std::move(name)),
      clock_(clock),
      source_(uri, RenditionKind::sub, limits, std::move(count), enabled, clock, std::move(callbacks)) {}

void SubSource::settle(bool needed) {
    const Monotonic now = clock_.monotonic();
    if (needed) {
        neededLast_ = now;
        if (!neededSince_) neededSince_ = now;
    } else if (neededLast_ && now - *neededLast_ > kGrace) {
        neededSince_.reset();
    }
    source_.need(neededSince_.has_value());
    source_.supervise();
    if (const int kbps = source_.kbps(); kbps > 0) kbps_ = kbps;
    if (neededSince_) log();
}

SubStream SubSource::standing() const {
    using Standing = SubStream::Standing;
    SubStream sub{.standing = Standing::away, .facts = source_.facts(), .kbps = kbps_};
    const CameraState state = source_.supervisor().state();
    const bool hope = !neededSince_ || clock_.monotonic() - *neededSince_ < kPatience;
    if (isDelivering(state)) {
        sub.standing = Standing::live;
    } else if (state == CameraState::starting && hope) {
        sub.standing = Standing::awaited;
    }
    return sub;
}

void SubSource::log() {
    const Supervisor& supervisor = source_.supervisor();
    if (supervisor.state() == told_ && supervisor.reason() == toldReason_) return;
    told_ = supervisor.state();
    toldReason_ = supervisor.reason();
    if (told_ == CameraState::starting || told_ == CameraState::disabled) return;
    const bool down = told_ == CameraState::reconnecting || told_ == CameraState::error;
    logInfo("capture", name_, ": sub stream: ", nameOf(told_), toldReason_.empty() ? "" : ", ", toldReason_,
            down ? "; the main stream stands in for it" : "");
}

}  // namespace edgecam::capture
