#include "uplink/relayed_server.hpp"

#include <pthread.h>

#include <algorithm>
#include <atomic>
#include <map>
#include <mutex>
#include <optional>
#include <set>
#include <thread>
#include <utility>

#include "base/heartbeat.hpp"
#include "base/log.hpp"
#include "uplink/back_off.hpp"
#include "uplink/listening_socket.hpp"
#include "uplink/relay_messages.hpp"
#include "uplink/relay_pipe.hpp"
#include "uplink/relayed_peer.hpp"
#include "uplink/viewers_child.hpp"

namespace edgecam::uplink {
namespace {

constexpr Microseconds kTick = std::chrono::milliseconds(100);
constexpr Microseconds kNewsInterval = std::chrono::milliseconds(500);
constexpr Microseconds kStartWithin = std::chrono::seconds(20);
constexpr Microseconds kEndWithin = std::chrono::milliseconds(2500);
// It speaks once a second: it hangs.
constexpr Microseconds kViewersSilence = std::chrono::seconds(10);
constexpr Microseconds kFirstPause = std::chrono::milliseconds(200);
constexpr Microseconds kLongestPause = std::chrono::seconds(5);
// Lived so long, the next crash is a first one again.
constexpr Microseconds kHealthyAfter = std::chrono::seconds(60);
// Beyond, what the agent says stays in the exchange, which knows what may be dropped of it.
constexpr std::size_t kMostWaiting = 8 << 20;
constexpr std::size_t kTooMuchWaiting = 256 << 20;
// What peers ask is small: the largest is the list of who is connected.
constexpr std::size_t kMostFromViewers = 16 << 20;
constexpr std::size_t kMostSessions = 20'000;

class Server final : public LocalServer {
  public:
    Server(LocalServerSettings settings, ViewersProgram program, Access& access, PeerExchange& exchange,
           CommandSink& commands, const Clock& clock, std::function<Health()> health)
        : settings_(std::move(settings)),
          program_(std::move(program)),
          access_(access),
          exchange_(exchange),
          commands_(commands),
          clock_(clock),
          health_(std::move(health)),
          all_(RelayedPeer::kEverybody, exchange.agent(), sayIt()) {}
    ~Server() override;

    Result<void> open();
    [[nodiscard]] int port() const override { return port_; }

  private:
    void say(const ToViewers& message);
    [[nodiscard]] RelayedPeer::Say sayIt() {
        return [this](const ToViewers& message) { say(message); };
    }
    Result<void> spawn();
    void run();
    void serveOnce();
    void sayRulesIfChanged();
    void sayLogLevelIfChanged();
    void tick();
    void take(ByteView bytes);
    void heed(const RelayReady& ready);
    void heed(const Command& command);
    void heed(const RelaySessionEnded& ended);
    void heed(const RelayRevocation& revocation);
    void heed(const RelayMetricsRequest& request);
    void heed(const RelayUse& use);
    void heed(const RelayDenial& denial);
    [[nodiscard]] bool isTheirs(SessionId session) const { return session / kSessionsOfAStart == starts_; }
    void meet(SessionId session);
    void part(SessionId session);
    void followRegistry();
    void lost();
    void sayFarewell();

    const LocalServerSettings settings_;
    const ViewersProgram program_;
    Access& access_;
    PeerExchange& exchange_;
    CommandSink& commands_;
    const Clock& clock_;
    const std::function<Health()> health_;
    int port_ = 0;
    std::optional<ListeningSocket> listener_;

    // The server's thread only, but for pipe_, which others wake.
    std::mutex pipeMutex_;
    std::unique_ptr<RelayPipe> pipe_;
    ViewersChild child_;
    std::optional<std::string> ready_;  ///< what it said of its start: empty when it serves
    bool broken_ = false;               ///< it said something that does not add up
    RelayedPeer all_;
    std::map<SessionId, std::unique_ptr<RelayedPeer>> peers_;
    std::set<SessionId> listed_;  ///< in the registry
    std::uint64_t rulesSaid_ = 0;
    const LogLevel startLevel_ = leastLogged();  ///< with which each of them starts
    LogLevel levelSaid_ = startLevel_;
    std::uint64_t starts_ = 0;
    Monotonic startedAt_;
    Monotonic heardAt_;
    Monotonic startAgainAt_;
    Microseconds pause_ = kFirstPause;
    Monotonic tickAt_;
    Monotonic newsAt_;

    std::atomic<bool> ending_{false};
    std::thread thread_;
};

Server::~Server() {
    exchange_.setWake({});
    ending_ = true;
    {
        const std::lock_guard lock(pipeMutex_);
        if (pipe_) pipe_->wake();
    }
    if (thread_.joinable()) thread_.join();
}

Result<void> Server::open() {
    auto listening = ListeningSocket::open(settings_.address, settings_.port);
    if (!listening) return listening.error();
    port_ = listening->port();
    listener_.emplace(*std::move(listening));
    exchange_.add(all_);
    if (auto started = spawn(); !started) return started;
    // The other process says at once what is wrong with a certificate, say; a start that fails is told.
    const Monotonic limit = clock_.monotonic() + kStartWithin;
    while (!ready_) {
        const bool alive = pipe_->serve(kTick, [this](ByteView bytes) { take(bytes); });
        if (ready_) break;
        if (!alive || broken_ || clock_.monotonic() > limit) {
            const std::string how = child_.reap();
            return Error{concat("the process of the viewers did not start: it ", how)};
        }
    }
    if (!ready_->empty()) {
        child_.reap();
        return Error{*ready_};
    }
    exchange_.setWake([this] {
        const std::lock_guard lock(pipeMutex_);
        if (pipe_) pipe_->wake();
    });
    thread_ = std::thread([this] { run(); });
    pthread_setname_np(thread_.native_handle(), "viewers-link");
    return {};
}

Result<void> Server::spawn() {
    const auto pipe = child_.start(program_, listener_->descriptor());
    if (!pipe) return pipe.error();
    {
        const std::lock_guard lock(pipeMutex_);
        pipe_ = std::make_unique<RelayPipe>(*pipe, kMostFromViewers);
    }
    ready_.reset();
    broken_ = false;
    startedAt_ = heardAt_ = clock_.monotonic();
    rulesSaid_ = access_.generation();
    levelSaid_ = startLevel_;
    say(RelaySetup{.settings = settings_,
                   .view = exchange_.agent(),
                   .partBytes = settings_.session.partBytes,
                   .rules = relayedRules(access_.rules()),
                   .firstSession = ++starts_ * kSessionsOfAStart});
    newsAt_ = {};
    return {};
}

void Server::say(const ToViewers& message) {
    if (!pipe_) return;
    pipe_->send(toBytes(message));
    // It asks and does not listen: what it asked for must not pile up here.
    if (pipe_->waiting() > kTooMuchWaiting) broken_ = true;
}

void Server::run() {
    Heartbeat heart("viewers-link");
    while (!ending_) {
        heart.beat();
        serveOnce();
    }
    sayFarewell();
}

void Server::serveOnce() {
    if (!pipe_) {
        exchange_.drain();  // goes nowhere, but the view stays true
        if (clock_.monotonic() < startAgainAt_) return std::this_thread::sleep_for(kTick / 2);
        if (const auto started = spawn(); !started) {
            logError("uplink", started.error().message);
            startAgainAt_ = clock_.monotonic() + kLongestPause;
            return;
        }
    }
    const bool alive = pipe_->serve(kTick, [this](ByteView bytes) { take(bytes); });
    const bool silent = clock_.monotonic() - heardAt_ > (ready_ ? kViewersSilence : kStartWithin);
    if (!alive || broken_ || silent || (ready_ && !ready_->empty())) return lost();
    // Before what the agent answers: a token that it made new holds when its owner hears of it.
    sayRulesIfChanged();
    sayLogLevelIfChanged();
    if (pipe_->waiting() < kMostWaiting) exchange_.drain();
    if (clock_.monotonic() >= tickAt_) tick();
}

void Server::sayRulesIfChanged() {
    if (access_.generation() == rulesSaid_) return;
    rulesSaid_ = access_.generation();
    say(relayedRules(access_.rules()));
}

void Server::sayLogLevelIfChanged() {
    if (leastLogged() == levelSaid_) return;
    levelSaid_ = leastLogged();
    say(RelayLogLevel{levelSaid_});
}

void Server::tick() {
    tickAt_ = clock_.monotonic() + kTick;
    followRegistry();
    if (clock_.monotonic() < newsAt_) return;
    newsAt_ = clock_.monotonic() + kNewsInterval;
    const Health health = health_ ? health_() : Health{true, "{}"};
    say(RelayHealth{health.ok, health.json});
    if (settings_.origin.registry == nullptr) return;
    RelayOthers others;
    for (SessionEntry& entry : settings_.origin.registry->list()) {
        if (!entry.uplink.empty()) others.sessions.push_back(std::move(entry));
    }
    say(others);
}

void Server::take(ByteView bytes) {
    heardAt_ = clock_.monotonic();
    const auto message = toAgentFrom(bytes);
    if (!message) {
        broken_ = true;
        return;
    }
    if (!broken_) std::visit([this](const auto& each) { heed(each); }, *message);
}

void Server::heed(const RelayReady& ready) {
    ready_ = ready.trouble;
}

void Server::heed(const Command& command) {
    meet(command.session);
    if (!broken_) commands_.submit(command);
}

void Server::heed(const RelaySessionEnded& ended) {
    part(ended.session);
}

void Server::heed(const RelayRevocation& revocation) {
    if (settings_.origin.revokeToken) settings_.origin.revokeToken(revocation.grant);
}

void Server::heed(const RelayMetricsRequest& request) {
    say(RelayMetricsPage{request.number,
                         settings_.metrics ? settings_.metrics(request.grant) : std::string()});
}

void Server::heed(const RelayDenial& denial) {
    const bool known = std::ranges::find(allDenials(), denial.denial) != allDenials().end();
    if (known && settings_.denied) settings_.denied(denial.denial);
}

void Server::heed(const RelayUse& use) {
    exchange_.countElsewhere(use.figures);
    SessionRegistry* registry = settings_.origin.registry;
    if (registry == nullptr) return;
    std::set<SessionId> present;
    for (const SessionEntry& entry : use.sessions) {
        if (!entry.uplink.empty() || !isTheirs(entry.id)) continue;  // hubs are known here
        present.insert(entry.id);
        if (listed_.insert(entry.id).second) registry->enter(entry);
        registry->update(entry.id, entry.use);
    }
    std::erase_if(listed_, [&](SessionId session) {
        if (present.contains(session)) return false;
        registry->leave(session);
        return true;
    });
}

/// A session is known here from its first command on. Its number must be one of the other process's.
void Server::meet(SessionId session) {
    if (!isTheirs(session) || peers_.size() > kMostSessions) {
        broken_ = true;
        return;
    }
    auto& peer = peers_[session];
    if (peer) return;
    peer = std::make_unique<RelayedPeer>(session, exchange_.agent(), sayIt());
    exchange_.add(*peer);
}

void Server::part(SessionId session) {
    const auto found = peers_.find(session);
    if (found == peers_.end()) return;
    exchange_.remove(session);
    peers_.erase(found);
    commands_.sessionEnded(session);
}

void Server::followRegistry() {
    if (settings_.origin.registry == nullptr) return;
    for (const SessionId session : listed_) {
        if (const auto wish = settings_.origin.registry->wishFor(session))
            say(RelayEndSession{session, *wish});
    }
}

/// The other process is gone, or talks nonsense: its sessions end, and it is started again.
void Server::lost() {
    const bool neverServed = !ready_ || !ready_->empty();
    const std::string how = concat("it ", child_.reap());
    const std::string& trouble = ready_ && !ready_->empty() ? *ready_ : how;
    while (!peers_.empty()) part(peers_.begin()->first);
    if (settings_.origin.registry != nullptr) {
        for (const SessionId session : listed_) settings_.origin.registry->leave(session);
    }
    listed_.clear();
    {
        const std::lock_guard lock(pipeMutex_);
        pipe_.reset();
    }
    const Monotonic now = clock_.monotonic();
    if (!neverServed && now - startedAt_ > kHealthyAfter) pause_ = kFirstPause;
    startAgainAt_ = now + pause_;
    logError("uplink", "the process of the viewers is gone: ", trouble, "; it is started again in ",
             std::chrono::round<std::chrono::milliseconds>(pause_).count(), " ms");
    pause_ = std::min(2 * pause_, kLongestPause);
}

void Server::sayFarewell() {
    exchange_.remove(all_.id());
    for (const auto& [session, peer] : peers_) exchange_.remove(session);
    if (!pipe_) return;
    say(RelayFarewell{});
    const Monotonic limit = clock_.monotonic() + kEndWithin;
    while (clock_.monotonic() < limit && pipe_->serve(kTick, [](ByteView) {})) {
    }
    child_.reap();
}

}  // namespace

Result<std::unique_ptr<LocalServer>> startRelayedServer(LocalServerSettings settings, ViewersProgram program,
                                                        Access& access, PeerExchange& exchange,
                                                        CommandSink& commands, const Clock& clock,
                                                        std::function<LocalServer::Health()> health) {
    auto server = std::make_unique<Server>(std::move(settings), std::move(program), access, exchange,
                                           commands, clock, std::move(health));
    if (const auto opened = server->open(); !opened) return opened.error().within("local server");
    return std::unique_ptr<LocalServer>(std::move(server));
}

}  // namespace edgecam::uplink
