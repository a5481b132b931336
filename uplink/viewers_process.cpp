// The other side of relayed_server.hpp: the process that the viewers talk to. The local server as it is, fed
// from the pipe.
#include <fcntl.h>
#include <linux/close_range.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sysexits.h>
#include <unistd.h>

#include <condition_variable>
#include <csignal>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <variant>

#include "base/log.hpp"
#include "uplink/relay_messages.hpp"
#include "uplink/relay_pipe.hpp"
#include "uplink/relayed_server.hpp"

namespace edgecam::uplink {
namespace {

constexpr Microseconds kTick = std::chrono::milliseconds(100);
constexpr Microseconds kUseInterval = std::chrono::seconds(1);
constexpr Microseconds kMetricsWithin = std::chrono::seconds(1);
constexpr std::size_t kMostFromAgent = 256 << 20;
// An agent that does not take what peers ask for is as good as gone.
constexpr std::size_t kMostWaiting = 32 << 20;

/// The agent's figures as text, which only the agent can make: asks, and waits a little.
class MetricsPages {
  public:
    explicit MetricsPages(RelayPipe& pipe) : pipe_(pipe) {}

    /// The server's thread.
    std::string ask(const Grant& grant) {
        std::unique_lock lock(mutex_);
        const std::uint64_t number = ++last_;
        pipe_.send(toBytes(ToAgent(RelayMetricsRequest{number, grant})));
        const auto here = [&] { return number_ == number; };
        if (!came_.wait_for(lock, kMetricsWithin, here)) return "# the agent gave no figures in time\n";
        return std::move(text_);
    }
    /// The pipe's thread.
    void arrived(RelayMetricsPage page) {
        const std::lock_guard lock(mutex_);
        number_ = page.number;
        text_ = std::move(page.text);
        came_.notify_all();
    }

  private:
    RelayPipe& pipe_;
    std::mutex mutex_;
    std::condition_variable came_;
    std::uint64_t last_ = 0;
    std::uint64_t number_ = 0;
    std::string text_;
};

/// The last word on the agent's health; one that has become old is a bad one.
class HealthNews {
  public:
    explicit HealthNews(const Clock& clock) : clock_(clock) {}
    void heard(RelayHealth health) {
        const std::lock_guard lock(mutex_);
        health_ = std::move(health);
        heardAt_ = clock_.monotonic();
    }
    [[nodiscard]] LocalServer::Health now() const {
        constexpr Microseconds kOld = std::chrono::seconds(5);
        const std::lock_guard lock(mutex_);
        return {health_.ok && clock_.monotonic() - heardAt_ < kOld, health_.json};
    }

  private:
    const Clock& clock_;
    mutable std::mutex mutex_;
    RelayHealth health_{true, "{}"};
    Monotonic heardAt_ = clock_.monotonic();
};

class Viewers final : public CommandSink {
  public:
    Viewers() : pipe_(kViewersPipe, kMostFromAgent), health_(clock_), pages_(pipe_) {}

    int run();
    void submit(const Command& command) override { say(command); }
    void sessionEnded(SessionId session) override { say(RelaySessionEnded{session}); }

  private:
    void say(const ToAgent& message) { pipe_.send(toBytes(message)); }
    void take(ByteView bytes);
    void heed(RelaySetup& setup);
    void heed(RelayedRules& rules) { access_->replace(rulesOf(rules)); }
    void heed(Chunk& chunk) { exchange_->publish(chunk); }
    void heed(RelaySkipped& skipped) { exchange_->publishSkipped(skipped.rendition, skipped.notice); }
    void heed(CameraStatus& status) { exchange_->publish(status); }
    void heed(UplinkStatus& status) { exchange_->publish(status); }
    void heed(RelayCameraRemoved& removed) { exchange_->removeCamera(std::move(removed.cameraId)); }
    void heed(RelayUplinkRemoved& removed) { exchange_->removeUplink(std::move(removed.id)); }
    void heed(RelayLogLevel& level) { startLog(level.least); }
    void heed(ConfigNews& news) { exchange_->publish(news); }
    void heed(RelayFigures& news) {
        exchange_->publish(std::make_shared<const AgentFigures>(std::move(news.figures)));
    }
    void heed(FaceEvent& event) { exchange_->publish(event); }
    void heed(Detections& detections) { exchange_->publish(detections); }
    void heed(RelayCompletion& done) {
        exchange_->complete(done.session, done.ticket, std::move(done.outcome));
    }
    void heed(RelayRegrant& moved) {
        exchange_->regrant(moved.session, std::move(moved.cameraId), std::move(moved.grant));
    }
    void heed(RelayHealth& health) { health_.heard(std::move(health)); }
    void heed(RelayMetricsPage& page) { pages_.arrived(std::move(page)); }
    void heed(RelayEndSession& end) { registry_.end(end.session, std::move(end.wish)); }
    void heed(RelayOthers& others);
    void heed(RelayFarewell&) { farewell_ = true; }

    static AccessRules rulesOf(const RelayedRules& rules) {
        return {rules.tokens, keysOf(rules), rules.revoked};
    }
    void tellUse();

    const SystemClock clock_;
    RelayPipe pipe_;
    HealthNews health_;
    MetricsPages pages_;
    SessionRegistry registry_;
    std::set<SessionId> others_;
    std::unique_ptr<PeerExchange> exchange_;
    std::unique_ptr<Access> access_;
    std::unique_ptr<LocalServer> server_;
    bool farewell_ = false;
    bool broken_ = false;
};

void Viewers::take(ByteView bytes) {
    auto message = toViewersFrom(bytes);
    const bool first = !server_;
    if (!message || first != std::holds_alternative<RelaySetup>(*message)) {
        broken_ = true;
        return;
    }
    if (!broken_) std::visit([this](auto& each) { heed(each); }, *message);
}

void Viewers::heed(RelaySetup& setup) {
    PeerExchange::numberSessionsFrom(setup.firstSession);
    exchange_ = std::make_unique<PeerExchange>(std::move(setup.view), setup.partBytes, clock_);
    access_ = std::make_unique<Access>(rulesOf(setup.rules), clock_);
    LocalServerSettings settings = std::move(setup.settings);
    settings.listener = kViewersListener;
    settings.denied = [this](Denial denial) { say(RelayDenial{denial}); };
    settings.metrics = [this](const Grant& grant) { return pages_.ask(grant); };
    settings.origin.registry = &registry_;
    settings.origin.revokeToken = [this](const Grant& grant) {
        if (!access_->revoke(grant)) return false;
        say(RelayRevocation{grant});
        return true;
    };
    auto started = LocalServer::start(std::move(settings), *access_, *exchange_, *this, clock_,
                                      [this] { return health_.now(); });
    if (started) server_ = *std::move(started);
    broken_ = !server_;
    say(RelayReady{server_ ? std::string() : started.error().message});
}

void Viewers::heed(RelayOthers& others) {
    std::set<SessionId> present;
    for (SessionEntry& entry : others.sessions) {
        present.insert(entry.id);
        if (others_.insert(entry.id).second) registry_.enter(entry);
        registry_.update(entry.id, entry.use);
    }
    std::erase_if(others_, [&](SessionId session) {
        if (present.contains(session)) return false;
        registry_.leave(session);
        return true;
    });
}

void Viewers::tellUse() {
    RelayUse use{*exchange_->figures(), registry_.list()};
    std::erase_if(use.sessions, [](const SessionEntry& entry) { return !entry.uplink.empty(); });
    say(use);
}

int Viewers::run() {
    Monotonic heardAt = clock_.monotonic();
    Monotonic useAt = heardAt;
    bool alive = true;
    while (alive && !farewell_ && !broken_) {
        const auto take = [&](ByteView bytes) {
            heardAt = clock_.monotonic();
            this->take(bytes);
        };
        alive = pipe_.serve(kTick, take);
        const Monotonic now = clock_.monotonic();
        if (server_ && now >= useAt) {
            useAt = now + kUseInterval;
            tellUse();
        }
        if (now - heardAt > kAgentSilence || pipe_.waiting() > kMostWaiting) {
            logWarning("uplink", "the agent says nothing any more: its viewers are sent away");
            break;
        }
    }
    // Without an agent there is nobody to say good-bye for: the port is to be free at once.
    if (!alive) _exit(EX_UNAVAILABLE);
    server_.reset();  // tells the peers
    if (!farewell_)
        (void)pipe_.serve(Microseconds(0), [](ByteView) {});  // what is wrong, if it can still be said
    return farewell_ ? EX_OK : EX_UNAVAILABLE;
}

}  // namespace

int serveViewers() {
    prctl(PR_SET_NAME, "edgecam-viewers");
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    // A terminal's Ctrl-C and systemd's stop reach every process: the agent says when this one ends. A
    // hang-up that makes the agent read its config again may reach every process too.
    std::signal(SIGHUP, SIG_IGN);
    std::signal(SIGINT, SIG_IGN);
    std::signal(SIGTERM, SIG_IGN);
    syscall(SYS_close_range, kViewersListener + 1, ~0U, 0);
    fcntl(kViewersPipe, F_SETFD, FD_CLOEXEC);
    fcntl(kViewersListener, F_SETFD, FD_CLOEXEC);
    return Viewers().run();
}

}  // namespace edgecam::uplink
