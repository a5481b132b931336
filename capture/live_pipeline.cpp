#include "capture/live_pipeline.hpp"

#include <atomic>
#include <condition_variable>
#include <mutex>
#include <set>
#include <utility>

namespace edgecam::capture {
namespace {

/// Pipelines of the process that were let go and have not ended.
struct Ends {
    std::mutex mutex;
    std::condition_variable changed;
    std::multiset<Monotonic> open;  ///< since when

    void began(Monotonic now) {
        const std::lock_guard lock(mutex);
        open.insert(now);
    }
    void ended(Monotonic since) {
        const std::lock_guard lock(mutex);
        open.erase(open.find(since));
        changed.notify_all();
    }
};

/// Never destroyed: a hung pipeline may end after main().
Ends& ends() {
    static auto& all = *new Ends;
    return all;
}

void postFailure(GstElement* pipeline, const std::string& cause) {
    const auto error = adopt(g_error_new_literal(GST_CORE_ERROR, GST_CORE_ERROR_STATE_CHANGE, cause.c_str()));
    gst_element_post_message(pipeline, gst_message_new_error(GST_OBJECT(pipeline), error.get(), nullptr));
}

/// Runs `job` on a thread of GStreamer's pool, which has no limit: jobs that hang hold up no other.
void runElsewhere(GstElement* element, std::function<void()> job) {
    gst_element_call_async(
        element, [](GstElement*, gpointer task) noexcept { (*static_cast<std::function<void()>*>(task))(); },
        new std::function<void()>(std::move(job)),
        [](gpointer task) noexcept { delete static_cast<std::function<void()>*>(task); });
}

}  // namespace

/// Outlives its owner until the pipeline has ended. Declared so that the hold goes last.
struct LivePipeline::Life {
    Life(Pipeline made, std::shared_ptr<void> held) : hold(std::move(held)), pipeline(std::move(made)) {}

    const std::shared_ptr<void> hold;
    Pipeline pipeline;
    /// Held over a change of state and whatever must not meet one, which may hang: only pool threads take it.
    std::mutex changing;
    std::atomic<bool> ended{false};

    std::mutex gate;  ///< held over a callback; `open`, once false, stays so
    bool open = true;
    std::function<void(GstSample*)> take;

    void deliver(GstSample* sample) {
        const std::lock_guard lock(gate);
        if (open) take(sample);
    }
    void start(const Prepare& prepare) {
        const std::lock_guard lock(changing);
        if (ended) return;
        const auto ready = prepare ? prepare(pipeline.top()) : Result<void>{};
        if (ended) return;
        if (!ready) return postFailure(pipeline.top(), ready.error().message);
        const auto change = gst_element_set_state(pipeline.top(), GST_STATE_PLAYING);
        if (change == GST_STATE_CHANGE_FAILURE) postFailure(pipeline.top(), "the pipeline does not start");
    }
    void perform(const std::function<void(GstElement*)>& job) {
        const std::lock_guard lock(changing);
        if (!ended) job(pipeline.top());
    }
    void end() {
        const std::lock_guard lock(changing);
        pipeline.stop();
    }
};

LivePipeline::LivePipeline(Pipeline pipeline, std::shared_ptr<void> hold)
    : life_(std::make_shared<Life>(std::move(pipeline), std::move(hold))) {}

LivePipeline::~LivePipeline() {
    life_->ended = true;
    life_->pipeline.unwatch();
    {
        const std::lock_guard lock(life_->gate);
        life_->open = false;
        life_->take = {};
    }
    const Monotonic now = SystemClock().monotonic();
    ends().began(now);
    runElsewhere(life_->pipeline.top(), [life = life_, now]() mutable {
        life->end();
        life.reset();
        ends().ended(now);
    });
}

Handle<GstElement> LivePipeline::element(const char* name) const {
    return life_->pipeline.element(name);
}

Microseconds LivePipeline::ageOf(Microseconds runningTime) const {
    return life_->pipeline.ageOf(runningTime);
}

void LivePipeline::onSample(const char* appsink, std::function<void(GstSample*)> take) {
    life_->take = std::move(take);
    // Not a shared reference: the sink belongs to the pipeline that belongs to the life.
    capture::onSample(element(appsink).get(),
                      [life = life_.get()](GstSample* sample) { life->deliver(sample); });
}

void LivePipeline::watch(std::function<void(GstMessage*)> seen) {
    life_->pipeline.watch(std::move(seen));
}

void LivePipeline::play(Prepare prepare) {
    runElsewhere(life_->pipeline.top(),
                 [life = life_, prepare = std::move(prepare)] { life->start(prepare); });
}

void LivePipeline::perform(std::function<void(GstElement*)> job) {
    runElsewhere(life_->pipeline.top(), [life = life_, job = std::move(job)] { life->perform(job); });
}

std::optional<Microseconds> LivePipeline::oldestEnd() {
    Ends& all = ends();
    const std::lock_guard lock(all.mutex);
    if (all.open.empty()) return std::nullopt;
    return SystemClock().monotonic() - *all.open.begin();
}

bool LivePipeline::awaitEnds(Microseconds limit) {
    Ends& all = ends();
    std::unique_lock lock(all.mutex);
    return all.changed.wait_for(lock, limit, [&] { return all.open.empty(); });
}

}  // namespace edgecam::capture
