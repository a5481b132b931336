#include "agent/source_trial.hpp"

#include <memory>
#include <utility>

#include "agent/main_loop.hpp"
#include "base/log.hpp"
#include "capture/camera.hpp"

namespace edgecam::agent {
namespace {

bool isOver(CameraState state) {
    return state == CameraState::reconnecting || state == CameraState::error;
}

}  // namespace

void SourceTrial::write(JsonWriter& json) const {
    json.field("source", source).field("reachable", reachable());
    if (reachable()) {
        if (!codec.empty()) json.field("codec", codec);
        json.field("width", status.size.width).field("height", status.size.height);
        if (status.frameRate > 0) json.key("framerate").rounded(status.frameRate, 3);
    } else {
        json.field("reason", status.reason);
    }
    if (!status.warning.empty()) json.field("warning", status.warning);
}

std::string SourceTrial::text() const {
    if (!reachable()) return concat(source, ": ", status.reason);
    return concat(source, ": ", codec.empty() ? "" : codec + ", ", status.size.width, "x", status.size.height,
                  status.frameRate > 0 ? concat(", ", status.frameRate, " fps") : "");
}

SourceTrial trySource(const capture::SourceUri& source, Microseconds within) {
    const SystemClock clock;
    const auto loop = std::make_shared<MainLoop>();
    SourceTrial trial{.source = source.shown(), .status = {}, .codec = {}};
    bool over = false;
    // Pictures come on threads of their own; what they say late may find this function gone.
    const auto seen = std::make_shared<std::string>();
    const auto heard = [&loop, weak = std::weak_ptr(loop), seen](const Chunk& chunk) {
        if (!chunk.format) return;
        loop->post([weak, seen, codec = chunk.format->codecString] {
            const auto running = weak.lock();
            if (!running) return;
            *seen = codec;
            running->quit();
        });
    };
    auto camera =
        capture::Camera::create({.id = "probe", .source = source, .substream = {}, .encoder = {}}, clock,
                                nullptr, {.chunk = heard, .status = [&](const CameraStatus& status) {
                                              if (over) return;
                                              trial.status = status;
                                              over = isOver(status.state);
                                              if (over) loop->quit();
                                          }});
    const auto lease =
        camera->open({.form = capture::StreamForm::cmaf, .codecs = {"avc1", "hvc1"}, .wish = {}});
    camera->start();
    {
        const MainLoop::Timer limit(within, [&] { loop->quit(); });
        loop->run();
    }
    trial.codec = *seen;
    over = true;  // what closing it says is no news
    if (trial.status.reason.empty() && !trial.reachable()) {
        trial.status.reason =
            concat("no picture within ", std::chrono::round<std::chrono::seconds>(within).count(), " s");
    }
    return trial;
}

}  // namespace edgecam::agent
