#include "agent/probe_run.hpp"

#include <fcntl.h>
#include <gio/gio.h>
#include <unistd.h>

#include <array>
#include <climits>
#include <optional>
#include <utility>
#include <vector>

#include "agent/main_loop.hpp"
#include "base/json.hpp"
#include "base/log.hpp"

namespace edgecam::agent {

struct ProbeRun::State {
    GSubprocess* child = nullptr;
    Done done;  ///< empty: said already, or nobody listens any more
    bool running = true;
    std::optional<MainLoop::Timer> limit;

    State() = default;
    ~State() { g_clear_object(&child); }
    State(const State&) = delete;
    State& operator=(const State&) = delete;

    void say(Result<std::string> what) {
        if (const Done say = std::exchange(done, {})) say(std::move(what));
    }
};

namespace {

using SharedState = std::shared_ptr<ProbeRun::State>;

/// What another program printed is looked at before it is passed on.
Result<std::string> reportIn(GBytes* output) {
    constexpr std::size_t kMost = 256 << 10;
    gsize size = 0;
    const auto* text =
        output == nullptr ? nullptr : static_cast<const char*>(g_bytes_get_data(output, &size));
    if (text == nullptr || size == 0) return Error{"the probe said nothing"};
    if (size > kMost) return Error{"the probe said too much"};
    const auto json = parseJson({text, size});
    if (!json || !json->IsObject()) return Error{"the probe said what is no JSON"};
    return toJson(*json);
}

void ended(GObject* child, GAsyncResult* result, gpointer data) noexcept {
    const std::unique_ptr<SharedState> state(static_cast<SharedState*>(data));
    g_autoptr(GBytes) output = nullptr;
    g_subprocess_communicate_finish(G_SUBPROCESS(child), result, &output, nullptr, nullptr);
    (*state)->running = false;
    (*state)->limit.reset();
    (*state)->say(reportIn(output));
}

/// The reading end of a pipe that holds these few bytes and no more: a secret that is on no command line,
/// where everybody on the box could read it. There is a reader as long as it is written to, so no SIGPIPE
/// comes.
Result<int> pipeHolding(const std::string& text) {
    std::array<int, 2> ends{-1, -1};
    if (text.size() > PIPE_BUF || pipe2(ends.data(), O_CLOEXEC) != 0)
        return Error{"no pipe for the probe's source"};
    const bool written = write(ends[1], text.data(), text.size()) == static_cast<ssize_t>(text.size());
    close(ends[1]);
    if (written) return ends[0];
    close(ends[0]);
    return Error{"no pipe for the probe's source"};
}

}  // namespace

Result<std::unique_ptr<ProbeRun>> ProbeRun::start(const Order& order, Done done) {
    std::vector<const char*> words{order.program.c_str(), "probe", "--json"};
    if (!order.model.empty()) words.insert(words.end(), {"--model", order.model.c_str()});
    if (!order.source.empty()) words.insert(words.end(), {"--source", "-"});
    words.push_back(nullptr);
    auto input = pipeHolding(order.source + "\n");
    if (!input) return input.error();
    g_autoptr(GError) error = nullptr;
    constexpr auto kPipes =
        static_cast<GSubprocessFlags>(G_SUBPROCESS_FLAGS_STDOUT_PIPE | G_SUBPROCESS_FLAGS_STDERR_SILENCE);
    g_autoptr(GSubprocessLauncher) launcher = g_subprocess_launcher_new(kPipes);
    g_subprocess_launcher_take_stdin_fd(launcher, *input);
    const auto state = std::make_shared<State>();
    state->child = g_subprocess_launcher_spawnv(launcher, words.data(), &error);
    if (state->child == nullptr) return Error{concat("the probe cannot be started: ", error->message)};
    state->done = std::move(done);
    g_subprocess_communicate_async(state->child, nullptr, nullptr, ended, new SharedState(state));
    state->limit.emplace(order.within, [weak = std::weak_ptr(state), within = order.within] {
        const auto late = weak.lock();
        if (!late || !late->running) return;
        g_subprocess_force_exit(late->child);
        late->say(Error{
            concat("it took longer than ", secondsOf(within), " s: a device or its driver does not answer")});
    });
    return std::unique_ptr<ProbeRun>(new ProbeRun(state));
}

ProbeRun::~ProbeRun() {
    state_->done = {};
    state_->limit.reset();
    if (state_->running) g_subprocess_force_exit(state_->child);
}

bool ProbeRun::running() const {
    return state_->running;
}

}  // namespace edgecam::agent
