#include "uplink/local_server.hpp"

#include <libwebsockets.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <list>
#include <map>
#include <optional>
#include <set>
#include <unordered_map>
#include <utility>

#include "base/log.hpp"
#include "uplink/doorkeeper.hpp"
#include "uplink/first_frames.hpp"
#include "uplink/http_exchange.hpp"
#include "uplink/http_service.hpp"
#include "uplink/listening_socket.hpp"
#include "uplink/peer_connection.hpp"
#include "uplink/request_policy.hpp"
#include "uplink/websocket_loop.hpp"

namespace edgecam::uplink {
namespace {

// Beside the WebSockets: page loads, health checks, and peers that are just being told that we are full.
constexpr std::size_t kSpareSockets = 64;
constexpr std::size_t kContextsOwnDescriptors = 8;
constexpr std::size_t kAcceptsPerTurn = 16;
// WebSockets that have not said who they are: room of their own, so that nobody can fill the house from
// outside.
constexpr std::size_t kMaxNewcomers = 32;
// Sockets of one address that are no viewer (yet): a browser opens six for a page. Two turns of accepting, so
// that each has had its turn of being read before it has to give way.
constexpr std::size_t kMaxPassersOfOne = 2 * kAcceptsPerTurn;
// The headers of a handshake and an `auth` fit many times.
constexpr std::size_t kNewcomerBytes = 128 << 10;
// A foreign program should not be told that we stop for less than it takes to start again.
constexpr Microseconds kRetryAfter = std::chrono::seconds(2);

// Any received byte is life; ping after 10 s of silence, dead after 25 s.
const lws_retry_bo_t kLiveness = {.retry_ms_table = nullptr,
                                  .retry_ms_table_count = 0,
                                  .conceal_count = 0,
                                  .secs_since_valid_ping = 10,
                                  .secs_since_valid_hangup = 25,
                                  .jitter_percent = 0};

bool isKnown(const PeerConnection& viewer) {
    return viewer.session() != nullptr && viewer.session()->authenticated();
}

// What a connection ends with, once that is known.
std::optional<CloseWish> endOf(const PeerConnection& viewer) {
    if (viewer.closing() || viewer.session() == nullptr) return viewer.closing();
    return viewer.session()->closeWish();
}

class Server final : public LocalServer, private WebsocketLoop::Owner {
  public:
    Server(LocalServerSettings settings, const Access& access, PeerExchange& exchange, CommandSink& commands,
           const Clock& clock, std::function<Health()> health)
        : settings_(std::move(settings)),
          door_(settings_.trustedProxies, settings_.denied, clock),
          access_(access),
          exchange_(exchange),
          commands_(commands),
          clock_(clock),
          http_(settings_, access, door_, clock, std::move(health)) {}
    ~Server() override;

    Result<void> open();
    [[nodiscard]] int port() const override { return port_; }

  private:
    static int onEvent(lws* socket, lws_callback_reasons reason, void* user, void* in,
                       std::size_t length) noexcept;
    int handle(lws* socket, lws_callback_reasons reason, std::string_view in);

    void hear(lws* socket, PeerConnection& viewer, std::string_view part);
    void part(lws* socket, const PeerConnection& viewer);
    void gone(lws* socket);
    void acceptSome();
    void pauseAccepting();
    void adopt(int fd, const IpAddress& from);
    void greet(lws* socket);
    void makeRoomForNewcomer();
    [[nodiscard]] std::optional<Denial> denialAtGreeting(lws* socket) const;
    void makeRoomForSockets();
    void makeRoomFor(lws* passer);
    void sendAway(std::list<lws*>::iterator passer);
    [[nodiscard]] std::size_t knownViewers() const;

    void woken() override;
    void ticked() override;
    void farewell() override;
    [[nodiscard]] bool silent() const override { return viewers_.empty(); }

    const LocalServerSettings settings_;
    Doorkeeper door_;
    const Access& access_;
    PeerExchange& exchange_;
    CommandSink& commands_;
    const Clock& clock_;
    HttpService http_;
    int port_ = 0;

    // The loop's thread only.
    lws_vhost* host_ = nullptr;
    lws* listener_ = nullptr;
    Result<void> tlsReady_ = Error{"libwebsockets did not ask for the certificate"};
    bool acceptPaused_ = false;
    LogThrottle descriptorTrouble_;
    std::size_t openSockets_ = 0;
    std::list<lws*> passers_;  ///< sockets that are no viewer (yet), the oldest first
    std::set<lws*> leaving_;   ///< told to go, while their sockets are still open
    std::unordered_map<lws*, std::unique_ptr<PeerConnection>> viewers_;
    FirstFrames firstFrames_{[this](lws* client) {
                                 const auto viewer = viewers_.find(client);
                                 if (viewer != viewers_.end())
                                     viewer->second->close(closeWishFor(Denial::framing));
                             },
                             [this] { loop_->wake(); }};

    std::unique_ptr<WebsocketLoop> loop_;  // last: its thread uses all the others
};

Server::~Server() {
    if (!loop_) return;
    exchange_.setWake({});
    loop_->end();
}

Result<void> Server::open() {
    auto listening = settings_.listener >= 0 ? ListeningSocket::adopt(settings_.listener)
                                             : ListeningSocket::open(settings_.address, settings_.port);
    if (!listening) return listening.error();
    port_ = listening->port();

    auto loop = WebsocketLoop::create(
        {.threadName = "viewers",
         // A second one each while its first frame is awaited.
         .maxDescriptors =
             static_cast<unsigned>(2 * (settings_.maxConnections + kSpareSockets) + kContextsOwnDescriptors),
         .callbackUser = this},
        *this);
    if (!loop) return loop.error();

    // One entry: a peer that asks for no subprotocol gets the first, one that asks for it by name, the same.
    // tx_packet_size: without it a message leaves in pieces of 4 KB, one poll each.
    static const std::array<lws_protocols, 2> protocols{
        {{"edgecam.v1", &Server::onEvent, 0, 4096, 0, nullptr, 65536}, {}}};
    lws_context_creation_info info{};
    info.port = CONTEXT_PORT_NO_LISTEN_SERVER;
    info.protocols = protocols.data();
    info.retry_and_idle_policy = &kLiveness;
    info.keepalive_timeout = 5;
    info.vhost_name = "local";
    if (settings_.tls.enabled()) {
        info.options = LWS_SERVER_OPTION_DO_SSL_GLOBAL_INIT | LWS_SERVER_OPTION_CREATE_VHOST_SSL_CTX;
        info.alpn = "http/1.1";
    }
    host_ = lws_create_vhost((*loop)->context(), &info);
    if (settings_.tls.enabled() && !tlsReady_) return tlsReady_.error();
    if (host_ == nullptr) return Error{"libwebsockets made no virtual host"};

    lws_sock_file_fd_type descriptor{};
    descriptor.filefd = listening->release();
    listener_ = lws_adopt_descriptor_vhost(host_, LWS_ADOPT_RAW_FILE_DESC, descriptor, nullptr, nullptr);
    if (listener_ == nullptr) return Error{"libwebsockets did not take the listening socket"};

    loop_ = std::move(*loop);
    exchange_.setWake([loop_thread = loop_.get()] { loop_thread->wake(); });
    loop_->start();
    return {};
}

int Server::onEvent(lws* socket, lws_callback_reasons reason, void* user, void* in,
                    std::size_t length) noexcept {
    if (socket == nullptr) return 0;
    auto* server = static_cast<Server*>(lws_context_user(lws_get_context(socket)));
    if (reason == LWS_CALLBACK_OPENSSL_LOAD_EXTRA_SERVER_VERIFY_CERTS) {
        server->tlsReady_ = applyTo(static_cast<ssl_ctx_st*>(user), server->settings_.tls);
        return server->tlsReady_ ? 0 : -1;
    }
    return server->handle(socket, reason, {static_cast<const char*>(in), in != nullptr ? length : 0});
}

int Server::handle(lws* socket, lws_callback_reasons reason, std::string_view in) {
    const auto viewer = viewers_.find(socket);
    switch (reason) {
        case LWS_CALLBACK_RAW_RX_FILE:
            if (firstFrames_.isOurs(socket)) return firstFrames_.look(socket) ? 0 : -1;
            acceptSome();
            return 0;
        case LWS_CALLBACK_HTTP_CONFIRM_UPGRADE:
            // `in` may point to freed headers here. No HTTP/2: its framing wants more headroom than there is.
            return strcasecmp(headerOf(socket, WSI_TOKEN_UPGRADE).c_str(), "websocket") == 0 ? 0 : -1;
        case LWS_CALLBACK_FILTER_PROTOCOL_CONNECTION:
            return http_.admitUpgrade(socket);
        case LWS_CALLBACK_HTTP:
            return http_.serve(socket, in);
        case LWS_CALLBACK_HTTP_FILE_COMPLETION:
            return lws_http_transaction_completed(socket) != 0 ? -1 : 0;
        case LWS_CALLBACK_ESTABLISHED:
            greet(socket);
            return 0;
        case LWS_CALLBACK_RECEIVE:
            if (viewer != viewers_.end()) hear(socket, *viewer->second, in);
            return 0;
        case LWS_CALLBACK_SERVER_WRITEABLE:
            return viewer == viewers_.end() || viewer->second->writable() ? 0 : -1;
        case LWS_CALLBACK_CLOSED:
            if (viewer != viewers_.end()) {
                viewer->second->endIfBroken();
                firstFrames_.ended(socket);
                part(socket, *viewer->second);
            }
            return 0;
        case LWS_CALLBACK_WSI_DESTROY:
            if (viewer != viewers_.end()) part(socket, *viewer->second);
            gone(socket);
            return 0;
        case LWS_CALLBACK_RAW_ADOPT:
        case LWS_CALLBACK_RAW_CONNECTED:
        case LWS_CALLBACK_RAW_RX:
            return -1;  // what a CONNECT request becomes
        default:
            return 0;
    }
}

void Server::gone(lws* socket) {
    const bool counted = socket != listener_ && !firstFrames_.isOurs(socket);
    firstFrames_.ended(socket);
    door_.left(socket);
    passers_.remove(socket);
    leaving_.erase(socket);
    if (counted && openSockets_ > 0) --openSockets_;
}

void Server::acceptSome() {
    for (std::size_t turn = 0; turn < kAcceptsPerTurn; ++turn) {
        const bool full = openSockets_ >= settings_.maxConnections + kSpareSockets;
        if (full && !leaving_.empty()) return pauseAccepting();  // they go in a moment
        sockaddr_storage from{};
        socklen_t size = sizeof from;
        const int fd = accept4(lws_get_socket_fd(listener_), reinterpret_cast<sockaddr*>(&from), &size,
                               SOCK_CLOEXEC | SOCK_NONBLOCK);
        if (fd < 0) {
            if (errno == EMFILE || errno == ENFILE) {
                if (descriptorTrouble_.ask(clock_.monotonic()).write) {
                    logError("uplink", "out of file descriptors: new viewers have to wait");
                }
                pauseAccepting();
            }
            return;
        }
        if (full) {
            close(fd);
            door_.deny(Denial::idleSockets);
            continue;
        }
        adopt(fd, IpAddress::of(from));
    }
}

// The waiting peer would wake the poll again and again: look away until the next tick.
void Server::pauseAccepting() {
    acceptPaused_ = lws_rx_flow_control(listener_, 0) == 0;
}

void Server::adopt(int fd, const IpAddress& from) {
    const std::size_t before = openSockets_++;
    lws* socket = lws_adopt_socket_vhost(host_, fd);
    if (socket == nullptr) {
        openSockets_ = before;
        return;
    }
    door_.arrived(socket, from);
    makeRoomFor(socket);
    passers_.push_back(socket);
    makeRoomForSockets();
}

// One address cannot have all the sockets that wait: its own oldest gives way.
void Server::makeRoomFor(lws* passer) {
    if (door_.isProxy(passer)) return;
    const auto isOfSame = [&](lws* other) {
        return !door_.isProxy(other) && door_.sameAddress(passer, other);
    };
    const auto count = static_cast<std::size_t>(std::ranges::count_if(passers_, isOfSame));
    if (count >= kMaxPassersOfOne) sendAway(std::ranges::find_if(passers_, isOfSame));
}

// Who holds a socket and asks for nothing gives way to those who come, and before him who was told to go but
// stays; a turn's worth of room stays free.
void Server::makeRoomForSockets() {
    const std::size_t most = settings_.maxConnections + kSpareSockets - kAcceptsPerTurn;
    const auto isFull = [&] { return openSockets_ > most + leaving_.size(); };
    for (auto viewer = viewers_.begin(); viewer != viewers_.end() && isFull(); ++viewer) {
        if (viewer->second->closing() && leaving_.insert(viewer->first).second) viewer->second->cut();
    }
    while (passers_.size() > 1 && isFull()) {
        lws* socket = door_.whoGivesWay({passers_.begin(), passers_.end()});
        sendAway(std::ranges::find(passers_, socket));
    }
}

void Server::sendAway(std::list<lws*>::iterator passer) {
    lws* socket = *passer;
    passers_.erase(passer);
    leaving_.insert(socket);
    lws_set_timeout(socket, PENDING_TIMEOUT_USER_OK, LWS_TO_KILL_ASYNC);
    door_.deny(Denial::idleSockets);
}

void Server::greet(lws* socket) {
    passers_.remove(socket);
    leaving_.erase(socket);
    firstFrames_.await(socket);
    const ConnectionLimits limits{.maxMessageBytes = settings_.session.maxMessageBytes,
                                  .newcomerBytes = kNewcomerBytes};
    if (const auto denial = denialAtGreeting(socket)) {
        auto& viewer = viewers_[socket];
        viewer =
            std::make_unique<PeerConnection>(socket, loop_->timers(), nullptr, exchange_, limits, clock_);
        viewer->close(closeWishFor(*denial));
        return;
    }
    std::optional<Grant> grant;
    // The headers of the handshake are still there; a wrong token did not come this far.
    if (const auto token = bearerToken(headerOf(socket, WSI_TOKEN_HTTP_AUTHORIZATION))) {
        grant = access_.check(*token);
    }
    if (!grant) makeRoomForNewcomer();
    SessionOrigin origin = settings_.origin;
    origin.address = door_.addressOf(socket);
    auto session =
        PeerSession::forViewer(PeerExchange::nextSessionId(), settings_.session, access_, std::move(grant),
                               exchange_.agent(), commands_, clock_, std::move(origin));
    viewers_[socket] = std::make_unique<PeerConnection>(socket, loop_->timers(), std::move(session),
                                                        exchange_, limits, clock_);
}

std::optional<Denial> Server::denialAtGreeting(lws* socket) const {
    if (door_.waitOf(socket) > Microseconds(0)) return Denial::tokenRate;
    if (knownViewers() >= settings_.maxConnections) return Denial::connections;
    const auto isOfSame = [&](const auto& item) {
        return item.second->session() != nullptr && door_.sameAddress(socket, item.first);
    };
    const auto count = static_cast<std::size_t>(std::ranges::count_if(viewers_, isOfSame));
    if (count >= settings_.maxPerAddress) return Denial::addressConnections;
    return std::nullopt;
}

void Server::makeRoomForNewcomer() {
    std::map<SessionId, lws*> byAge;  // ids grow: the first is the oldest
    for (const auto& [socket, viewer] : viewers_) {
        if (viewer->session() != nullptr && !isKnown(*viewer)) byAge[viewer->session()->id()] = socket;
    }
    if (byAge.size() < std::min(kMaxNewcomers, settings_.maxConnections)) return;
    std::vector<lws*> newcomers;
    for (const auto& [id, socket] : byAge) newcomers.push_back(socket);
    viewers_[door_.whoGivesWay(newcomers)]->close(closeWishFor(Denial::newcomers));
}

// Several newcomers may wait for the last place: who says a good token first has it. Where the address was
// wrong too often, nobody hears what they say.
void Server::hear(lws* socket, PeerConnection& viewer, std::string_view part) {
    const bool wasKnown = isKnown(viewer);
    const bool wasEnding = endOf(viewer).has_value();
    if (!wasKnown && !wasEnding && door_.waitOf(socket) > Microseconds(0)) {
        return viewer.close(closeWishFor(Denial::tokenRate));
    }
    viewer.received(part);
    const auto end = endOf(viewer);
    if (!wasEnding && end && denialOf(*end) == Denial::wrongToken) door_.wrongToken(socket);
    if (!wasKnown && isKnown(viewer) && knownViewers() > settings_.maxConnections) {
        viewer.close(closeWishFor(Denial::connections));
    }
}

void Server::part(lws* socket, const PeerConnection& viewer) {
    const auto end = endOf(viewer);
    const auto denial = end ? denialOf(*end) : std::nullopt;
    if (denial) door_.deny(*denial);
    viewers_.erase(socket);
}

std::size_t Server::knownViewers() const {
    return static_cast<std::size_t>(
        std::ranges::count_if(viewers_, [](const auto& item) { return isKnown(*item.second); }));
}

void Server::woken() {
    firstFrames_.readDecrypted();
    exchange_.drain();
    for (const auto& [socket, viewer] : viewers_) viewer->sayWhatIsNew();
}

void Server::ticked() {
    // libwebsockets may have set another limit of time meanwhile, e.g. for the answer it is writing.
    for (lws* socket : leaving_) lws_set_timeout(socket, PENDING_TIMEOUT_USER_OK, LWS_TO_KILL_ASYNC);
    if (std::exchange(acceptPaused_, false)) lws_rx_flow_control(listener_, 1);
    for (const auto& [socket, viewer] : viewers_) viewer->tick();
}

void Server::farewell() {
    lws_set_timeout(listener_, PENDING_TIMEOUT_USER_OK, LWS_TO_KILL_ASYNC);
    for (const auto& [socket, viewer] : viewers_) {
        if (viewer->session() != nullptr) viewer->session()->goAway(kRetryAfter);
        viewer->askToWrite();
    }
}

}  // namespace

Result<std::unique_ptr<LocalServer>> LocalServer::start(LocalServerSettings settings, const Access& access,
                                                        PeerExchange& exchange, CommandSink& commands,
                                                        const Clock& clock, std::function<Health()> health) {
    auto server =
        std::make_unique<Server>(std::move(settings), access, exchange, commands, clock, std::move(health));
    if (const auto opened = server->open(); !opened) return opened.error().within("local server");
    return std::unique_ptr<LocalServer>(std::move(server));
}

}  // namespace edgecam::uplink
