#include "uplink/uplink_client.hpp"

#include <libwebsockets.h>
#include <openssl/ssl.h>

#include <algorithm>
#include <array>
#include <optional>
#include <utility>

#include "base/foreign_words.hpp"
#include "base/log.hpp"
#include "uplink/back_off.hpp"
#include "uplink/certificate_files.hpp"
#include "uplink/connect_faults.hpp"
#include "uplink/hub_url.hpp"
#include "uplink/peer_connection.hpp"
#include "uplink/proxy_reply.hpp"
#include "uplink/websocket_loop.hpp"

namespace edgecam::uplink {
namespace {

constexpr const char* kProtocol = "edgecam.v1";
// One connection, its name lookup, the context's own.
constexpr unsigned kDescriptors = 32;
// What waits in the kernel cannot be cut any more: keep it small, so that video stays fresh on a thin link.
constexpr int kUnsentBytes = 16 << 10;
// About three packets: enough for fast retransmission, 65 ms at 500 kbit/s.
constexpr std::size_t kLeastAllowance = 4 << 10;
// That nothing gets through is first the rule of the dead peer's to judge: links come back.
constexpr Microseconds kStallAfterDeath = std::chrono::seconds(10);
constexpr Microseconds kRetryAfter = std::chrono::seconds(2);
constexpr std::uint16_t kAbnormal = 1006;  // RFC 6455 section 7.1.5: ended without a close frame

std::uint16_t wholeSeconds(Microseconds span, std::uint16_t least) {
    const auto seconds = std::chrono::ceil<std::chrono::seconds>(span).count();
    return static_cast<std::uint16_t>(std::clamp<std::int64_t>(seconds, least, 3600));
}

/// As libwebsockets wants it.
std::string addressOf(const ProxyUrl& proxy) {
    return proxy.credentials.empty() ? proxy.shown() : concat(proxy.credentials, "@", proxy.shown());
}

/// Under which an SSL_CTX keeps its client.
int tlsOwnerIndex() {
    static const int index = SSL_CTX_get_ex_new_index(0, nullptr, nullptr, nullptr, nullptr);
    return index;
}

class Client final : public UplinkClient, private WebsocketLoop::Owner {
  public:
    Client(UplinkSettings settings, PeerExchange& exchange, CommandSink& commands, const Clock& clock,
           std::function<void(const UplinkStatus&)> onStatus);
    ~Client() override;

    Result<void> open();

  private:
    static int onEvent(lws* socket, lws_callback_reasons reason, void* user, void* in,
                       std::size_t length) noexcept;
    int handle(lws* socket, lws_callback_reasons reason, std::string_view in);

    static void onTlsEvent(const ssl_st* tls, int what, int value) noexcept;
    int prepareTls(ssl_ctx_st* context);
    void dial();
    void established(lws* socket);
    void notConnected(lws* socket, std::string_view why);
    void countForPlan(lws* socket);
    [[nodiscard]] std::optional<std::string> tlsFault() const;
    [[nodiscard]] bool showsCertificate() const { return !settings_.tls.certificateFile.empty(); }
    void closedByPeer(std::string_view payload);
    [[nodiscard]] std::string howItBroke(Microseconds silent) const;
    void ended();
    void follow();
    void retryElsewhere(Microseconds delay, std::string reason);
    void retryAfter(Microseconds delay, UplinkState state, std::string reason);
    void report(UplinkState state, std::string reason);

    void woken() override;
    void ticked() override;
    void farewell() override;
    [[nodiscard]] bool silent() const override { return !connection_; }

    const UplinkSettings settings_;
    PeerExchange& exchange_;
    CommandSink& commands_;
    const Clock& clock_;
    const std::function<void(const UplinkStatus&)> onStatus_;
    const lws_retry_bo_t liveness_;

    // The loop's thread only.
    lws_vhost* host_ = nullptr;
    ssl_ctx_st* tlsContext_ = nullptr;  ///< the virtual host's
    Result<void> tlsReady_ = Error{"libwebsockets did not ask for the rules of TLS"};
    std::optional<std::size_t> endpoint_;  ///< in use
    std::string authority_;
    BackOff backOff_;
    UplinkStatus status_;
    std::unique_ptr<PeerConnection> connection_;
    std::optional<CloseWish> hubClose_;
    int certificateTrouble_ = X509_V_OK;
    std::optional<ProxyReply> proxyReply_;  ///< while the way through the proxy is opened
    int hubAlert_ = 0;                      ///< with which the hub broke the TLS handshake off
    Monotonic liveSince_{};
    std::optional<Microseconds> retryAfterWish_;  ///< the hub's own
    std::optional<Monotonic> dialAt_;
    bool leaving_ = false;

    std::unique_ptr<WebsocketLoop> loop_;  // last: its thread uses all the others
};

Client::Client(UplinkSettings settings, PeerExchange& exchange, CommandSink& commands, const Clock& clock,
               std::function<void(const UplinkStatus&)> onStatus)
    : settings_(std::move(settings)),
      exchange_(exchange),
      commands_(commands),
      clock_(clock),
      onStatus_(std::move(onStatus)),
      liveness_{.retry_ms_table = nullptr,
                .retry_ms_table_count = 0,
                .conceal_count = 0,
                .secs_since_valid_ping = wholeSeconds(settings_.pingAfter, 1),
                // libwebsockets asserts that this is the larger one.
                .secs_since_valid_hangup = wholeSeconds(
                    std::max(settings_.deadAfter, settings_.pingAfter + std::chrono::seconds(1)), 2),
                .jitter_percent = 0},
      backOff_({.first = settings_.firstDelay, .most = settings_.maxDelay},
               settings_.chance ? settings_.chance : BackOff::systemChance()) {
    status_.name = settings_.name;
    status_.purpose = settings_.hub.purpose;
    status_.url = settings_.endpoints->url(0).shown;
}

Client::~Client() {
    if (!loop_) return;
    exchange_.setWake({});
    loop_->end();
}

Result<void> Client::open() {
    const char* caFile = settings_.caFile.empty() ? nullptr : settings_.caFile.c_str();
    if (caFile != nullptr) {
        if (auto good = checkAuthorities(settings_.caFile); !good) return good.error().within("CA file");
    }
    if (showsCertificate()) {
        auto good = checkKey(settings_.tls.keyFile, settings_.tls.certificateFile);
        if (!good) return good.error().within("client certificate");
    }
    auto loop = WebsocketLoop::create(
        {.threadName = settings_.threadName, .maxDescriptors = kDescriptors, .callbackUser = this}, *this);
    if (!loop) return loop.error();

    static const std::array<lws_protocols, 2> protocols{
        {{kProtocol, &Client::onEvent, 0, 4096, 0, nullptr, 65536}, {}}};
    lws_context_creation_info info{};
    info.port = CONTEXT_PORT_NO_LISTEN;
    info.protocols = protocols.data();
    info.options = LWS_SERVER_OPTION_DO_SSL_GLOBAL_INIT;
    if (caFile != nullptr) info.options |= LWS_SERVER_OPTION_DISABLE_OS_CA_CERTS;
    info.client_ssl_ca_filepath = caFile;
    // An empty one where there is none; with null, the environment's would be used.
    const std::string proxy = settings_.proxy ? addressOf(*settings_.proxy) : ":0";
    info.http_proxy_address = proxy.c_str();
    info.retry_and_idle_policy = &liveness_;
    info.vhost_name = "uplink";
    host_ = lws_create_vhost((*loop)->context(), &info);
    if (!tlsReady_) return tlsReady_;
    if (host_ == nullptr) return Error{"libwebsockets made no virtual host (is the CA file PEM?)"};

    loop_ = std::move(*loop);
    dialAt_ = clock_.monotonic();
    exchange_.setWake([loop_thread = loop_.get()] { loop_thread->wake(); });
    loop_->start();
    return {};
}

int Client::onEvent(lws* socket, lws_callback_reasons reason, void* user, void* in,
                    std::size_t length) noexcept {
    if (socket == nullptr) return 0;
    auto* client = static_cast<Client*>(lws_context_user(lws_get_context(socket)));
    if (reason == LWS_CALLBACK_OPENSSL_PERFORM_SERVER_CERT_VERIFICATION) {
        // Here `length` is OpenSSL's own verdict, which stands; only its reason is taken.
        if (length == 0) {
            client->certificateTrouble_ = X509_STORE_CTX_get_error(static_cast<X509_STORE_CTX*>(user));
        }
        return 0;
    }
    if (reason == LWS_CALLBACK_OPENSSL_LOAD_EXTRA_CLIENT_VERIFY_CERTS) {
        return client->prepareTls(static_cast<ssl_ctx_st*>(user));
    }
    return client->handle(socket, reason, {static_cast<const char*>(in), in != nullptr ? length : 0});
}

int Client::handle(lws* socket, lws_callback_reasons reason, std::string_view in) {
    switch (reason) {
        case LWS_CALLBACK_CLIENT_CONNECTION_ERROR:
            notConnected(socket, in);
            return 0;
        case LWS_CALLBACK_CLIENT_ESTABLISHED:
            established(socket);
            return 0;
        case LWS_CALLBACK_CLIENT_RECEIVE:
            if (connection_) connection_->received(in);
            follow();
            return 0;
        case LWS_CALLBACK_CLIENT_WRITEABLE:
            return !connection_ || connection_->writable() ? 0 : -1;
        case LWS_CALLBACK_WS_PEER_INITIATED_CLOSE:
            closedByPeer(in);
            return 0;
        case LWS_CALLBACK_CLIENT_CLOSED:
            ended();
            return 0;
        case LWS_CALLBACK_WSI_DESTROY:
            if (proxyReply_ && proxyReply_->socket() == socket) proxyReply_.reset();
            return 0;
        default:
            return 0;
    }
}

// libwebsockets would hand these on, but not those of a client.
void Client::onTlsEvent(const ssl_st* tls, int what, int value) noexcept {
    if ((what & SSL_CB_READ_ALERT) != SSL_CB_READ_ALERT) return;
    auto* client = static_cast<Client*>(SSL_CTX_get_ex_data(SSL_get_SSL_CTX(tls), tlsOwnerIndex()));
    const bool fatal = value >> 8 == SSL3_AL_FATAL;
    if (client != nullptr && fatal) client->hubAlert_ = value & 0xff;
}

int Client::prepareTls(ssl_ctx_st* context) {
    tlsContext_ = context;
    SSL_CTX_set_ex_data(context, tlsOwnerIndex(), this);
    SSL_CTX_set_info_callback(context, &Client::onTlsEvent);
    tlsReady_ = applyTo(context, settings_.tls);
    return tlsReady_ ? 0 : -1;
}

void Client::dial() {
    dialAt_.reset();
    hubClose_.reset();
    certificateTrouble_ = X509_V_OK;
    hubAlert_ = 0;
    ++status_.attempts;
    endpoint_ = settings_.endpoints->choose(clock_.monotonic());
    const HubUrl& url = settings_.endpoints->url(*endpoint_);
    authority_ = url.authority();
    status_.url = url.shown;
    report(UplinkState::connecting, {});

    lws_client_connect_info info{};
    info.context = loop_->context();
    info.vhost = host_;
    info.address = url.host.c_str();
    info.port = url.port;
    info.path = url.path.c_str();
    info.host = authority_.c_str();
    info.protocol = kProtocol;
    info.local_protocol_name = kProtocol;
    info.ietf_version_or_minus_one = -1;
    info.alpn = "http/1.1";
    info.retry_and_idle_policy = &liveness_;
    // A redirect would be sent to another host with all our headers.
    info.ssl_connection = LCCSCF_HTTP_NO_FOLLOW_REDIRECT | (url.secure ? LCCSCF_USE_SSL : 0);
    // libwebsockets would look for the first of the address's colons to find a port, and check what is before
    // it.
    const bool six = url.host.find(':') != std::string::npos;
    if (six) info.ssl_connection |= LCCSCF_SKIP_SERVER_CERT_HOSTNAME_CHECK;
    if (tlsContext_ != nullptr) expectAddress(tlsContext_, six ? url.host : std::string());
    const Heartbeat::Rest rest(loop_->heart());  // the resolver has its own patience
    // What fails at once is told by CLIENT_CONNECTION_ERROR, from inside this call.
    lws* socket = lws_client_connect_via_info(&info);
    if (socket == nullptr && !dialAt_) return notConnected(nullptr, "no connection");
    if (socket != nullptr && settings_.proxy) proxyReply_.emplace(socket);
}

void Client::notConnected(lws* socket, std::string_view why) {
    if (dialAt_ || leaving_) return;
    countForPlan(socket);
    const unsigned status = socket != nullptr ? lws_http_client_http_response(socket) : 0;
    const int answered = proxyReply_ ? proxyReply_->status() : 0;
    proxyReply_.reset();
    if (answered != 0 && answered != 200) {
        return retryElsewhere(backOff_.afterFailure(), proxyFault(answered, settings_.proxy->shown()));
    }
    if (const auto fault = tlsFault()) return retryElsewhere(backOff_.afterFailure(), *fault);
    if (status == 401 || status == 403) {
        const auto reason = concat("the hub refused the handshake with HTTP ", status);
        return retryAfter(backOff_.afterRejection(), UplinkState::rejected, reason);
    }
    // 101 and the like mean that it failed later than at the status line.
    if (status >= 300)
        return retryElsewhere(backOff_.afterFailure(),
                              concat("the hub answered HTTP ", status, " instead of a WebSocket"));
    const std::string proxy = settings_.proxy ? settings_.proxy->shown() : std::string();
    retryElsewhere(backOff_.afterFailure(), connectFault(why, proxy, showsCertificate()));
}

/// A TLS handshake a minute with a hub that refuses is a quarter of a gigabyte in a month.
void Client::countForPlan(lws* socket) {
    if (settings_.plan == nullptr || socket == nullptr) return;
    const auto sample = readLink(lws_get_socket_fd(socket), clock_.monotonic());
    if (sample) settings_.plan->count(sample->carried());
}

std::optional<std::string> Client::tlsFault() const {
    if (certificateTrouble_ != X509_V_OK) {
        const std::string& host = settings_.endpoints->url(*endpoint_).host;
        return certificateFault(certificateTrouble_, host, clock_.utc());
    }
    if (hubAlert_ != 0) return alertFault(hubAlert_, showsCertificate());
    return std::nullopt;
}

void Client::established(lws* socket) {
    proxyReply_.reset();
    const ConnectionLimits limits{.maxMessageBytes = settings_.session.maxMessageBytes,
                                  .unsentBytes = kUnsentBytes,
                                  .leastAllowance = kLeastAllowance,
                                  .holdsVideoBack = settings_.holdsVideoBack,
                                  .stallAfter = settings_.deadAfter + kStallAfterDeath,
                                  .copyBeforeWrite = true,
                                  .followsLink = settings_.followsLink,
                                  .mostVideoKbps = settings_.mostVideoKbps,
                                  .videoWait = settings_.videoWait,
                                  .plan = settings_.plan};
    SessionOrigin origin = settings_.origin;
    origin.address = status_.url;
    auto session =
        PeerSession::forHub(PeerExchange::nextSessionId(), settings_.session, settings_.hub,
                            exchange_.agent(), commands_, settings_.journal, clock_, std::move(origin));
    connection_ = std::make_unique<PeerConnection>(socket, loop_->timers(), std::move(session), exchange_,
                                                   limits, clock_);
    report(UplinkState::authenticating, {});
}

void Client::follow() {
    const auto* session = connection_ ? connection_->session() : nullptr;
    if (session == nullptr) return;
    if (session->retryAfter()) retryAfterWish_ = session->retryAfter();
    if (status_.state != UplinkState::authenticating || !session->authenticated()) return;
    liveSince_ = clock_.monotonic();
    settings_.endpoints->works(*endpoint_);
    report(UplinkState::live, {});
}

// The payload of a close frame: two bytes of code, then the reason (RFC 6455 section 5.5.1).
void Client::closedByPeer(std::string_view payload) {
    ByteReader reader(viewOf(payload));
    const auto code = reader.u16();
    hubClose_ =
        CloseWish{code.value_or(1005), std::string(payload.substr(std::min<std::size_t>(2, payload.size())))};
}

/// libwebsockets does not tell who was given up from who broke off, and counts in whole seconds.
std::string Client::howItBroke(Microseconds silent) const {
    if (silent + std::chrono::seconds(1) < settings_.deadAfter) return "the connection broke";
    const auto seconds = std::chrono::round<std::chrono::seconds>(silent).count();
    return concat("nothing was heard of the hub for ", seconds, " s");
}

void Client::ended() {
    if (!connection_) return;
    const bool ours = connection_->closing().has_value();
    const CloseWish close = hubClose_ ? *hubClose_
                            : ours    ? *connection_->closing()
                                      : CloseWish{kAbnormal, howItBroke(connection_->silentFor())};
    connection_.reset();
    if (leaving_) return;

    const auto reason = concat(hubClose_ ? "the hub closed: "
                               : ours    ? "closed: "
                                         : "",
                               close.code, " ", hubClose_ ? quoted(close.reason) : close.reason);
    // 4409: another box says that it is us; two that take turns would help nobody.
    if (close.code == 4401 || close.code == 4403 || close.code == 4409) {
        return retryAfter(backOff_.afterRejection(), UplinkState::rejected, reason);
    }
    const bool wasLive = status_.state == UplinkState::live;
    const auto lived = wasLive ? clock_.monotonic() - liveSince_ : Microseconds(0);
    retryElsewhere(backOff_.afterLoss(lived), reason);
}

/// After a failure: at once when there is a hub that did not fail, but for what keeps a fleet from coming as
/// one.
void Client::retryElsewhere(Microseconds delay, std::string reason) {
    const Monotonic now = clock_.monotonic();
    if (endpoint_) settings_.endpoints->failed(*std::exchange(endpoint_, std::nullopt), now);
    if (settings_.endpoints->count() > 1 && settings_.endpoints->anyFresh(now)) {
        delay = std::min(delay, settings_.firstDelay);
    }
    // The hub knows when it will be back; a fleet that comes then comes spread over as long again.
    if (const auto wish = std::exchange(retryAfterWish_, std::nullopt)) {
        delay = std::max(delay, BackOff::spread(*wish, settings_.chance ? settings_.chance() : 0.5));
    }
    retryAfter(delay, UplinkState::backingOff, std::move(reason));
}

void Client::retryAfter(Microseconds delay, UplinkState state, std::string reason) {
    if (endpoint_) settings_.endpoints->failed(*std::exchange(endpoint_, std::nullopt), clock_.monotonic());
    dialAt_ = clock_.monotonic() + delay;
    status_.retryIn = delay;
    status_.retryAt = clock_.utc() + delay;
    report(state, std::move(reason));
}

void Client::report(UplinkState state, std::string reason) {
    status_.state = state;
    status_.reason = std::move(reason);
    if (state != UplinkState::backingOff && state != UplinkState::rejected) {
        status_.retryIn = {};
        status_.retryAt.reset();
    }
    if (onStatus_) onStatus_(status_);
}

void Client::woken() {
    if (connection_) exchange_.setPartBytes(connection_->link().partBytes());
    exchange_.drain();
    if (connection_) connection_->sayWhatIsNew();
}

void Client::ticked() {
    if (proxyReply_) proxyReply_->look();
    if (connection_) connection_->tick();
    follow();
    if (dialAt_ && !leaving_ && clock_.monotonic() >= *dialAt_) dial();
}

void Client::farewell() {
    leaving_ = true;
    if (!connection_) return;
    if (connection_->session() != nullptr) connection_->session()->goAway(kRetryAfter);
    connection_->askToWrite();
}

}  // namespace

Result<std::unique_ptr<UplinkClient>> UplinkClient::start(UplinkSettings settings, PeerExchange& exchange,
                                                          CommandSink& commands, const Clock& clock,
                                                          std::function<void(const UplinkStatus&)> onStatus) {
    const std::string name = settings.name;
    auto client =
        std::make_unique<Client>(std::move(settings), exchange, commands, clock, std::move(onStatus));
    if (const auto opened = client->open(); !opened) return opened.error().within(concat("uplink ", name));
    return std::unique_ptr<UplinkClient>(std::move(client));
}

}  // namespace edgecam::uplink
