#include "uplink/websocket_loop.hpp"

#include <libwebsockets.h>
#include <pthread.h>

#include <mutex>
#include <string_view>
#include <utility>

#include "base/log.hpp"

namespace edgecam::uplink {
namespace {

constexpr unsigned kServeBufferBytes = 16384;
// A token of 4 KB, a browser's cookies for the host and its usual headers fit.
constexpr unsigned short kMaxHeaderBytes = 16384;
// For a TLS handshake, an HTTP request, a connect: a peer that does not get on with it is let go.
constexpr unsigned kStepSeconds = 10;

// What libwebsockets calls an error is mostly a peer's fault and can be provoked from outside at any rate.
void relayLog(int level, const char* line) {
    static LogThrottle throttle;
    const auto now = SystemClock().monotonic();
    std::string_view text(line);
    while (!text.empty() && (text.back() == '\n' || text.back() == '\r')) text.remove_suffix(1);
    if (level != LLL_ERR) {
        logDebug("uplink", "libwebsockets: ", text);
        return;
    }
    const auto verdict = throttle.ask(now);
    if (!verdict.write) return;
    logWarning("uplink", "libwebsockets: ", text,
               verdict.keptBack > 0 ? concat(" (and ", verdict.keptBack, " more)") : std::string());
}

}  // namespace

WebsocketLoop::WebsocketLoop(Settings settings, Owner& owner)
    : settings_(std::move(settings)), owner_(owner), heart_(settings_.threadName) {}

Result<std::unique_ptr<WebsocketLoop>> WebsocketLoop::create(Settings settings, Owner& owner) {
    // Notices and below hold peers' bytes in hexadecimal, tokens among them.
    static std::once_flag logReady;
    std::call_once(logReady, [] { lws_set_log_level(LLL_ERR | LLL_WARN, &relayLog); });

    std::unique_ptr<WebsocketLoop> loop(new WebsocketLoop(std::move(settings), owner));
    lws_context_creation_info info{};
    info.options = LWS_SERVER_OPTION_EXPLICIT_VHOSTS | LWS_SERVER_OPTION_VALIDATE_UTF8 |
                   LWS_SERVER_OPTION_DO_SSL_GLOBAL_INIT;
    info.port = CONTEXT_PORT_NO_LISTEN;
    info.user = loop->settings_.callbackUser != nullptr ? loop->settings_.callbackUser : &owner;
    info.pt_serv_buf_size = kServeBufferBytes;
    info.max_http_header_data = kMaxHeaderBytes;
    info.timeout_secs = kStepSeconds;
    info.fd_limit_per_thread = loop->settings_.maxDescriptors;
    loop->context_ = lws_create_context(&info);
    if (loop->context_ == nullptr) return Error{"libwebsockets made no context (out of memory or files?)"};
    loop->timers_.emplace(loop->context_);
    return loop;
}

void WebsocketLoop::end() {
    if (thread_.joinable()) {
        ending_ = true;
        lws_cancel_service(context_);
        lastWake_.count_down();
        thread_.join();
    } else if (context_ != nullptr) {
        timers_->end();
        lws_context_destroy(context_);
    }
    context_ = nullptr;
}

void WebsocketLoop::start() {
    tick_.emplace(*timers_, [this] {
        tick_->start(kTick);
        owner_.ticked();
    });
    tick_->start(kTick);
    thread_ = std::thread([this] { run(); });
    pthread_setname_np(thread_.native_handle(), settings_.threadName.substr(0, 15).c_str());
}

void WebsocketLoop::wake() {
    // One call into libwebsockets for any number of wake-ups that the thread has not seen yet.
    if (!woken_.exchange(true)) lws_cancel_service(context_);
}

void WebsocketLoop::serveOnce() {
    heart_.beat();
    timers_->ring();
    lws_service(context_, 0);
    if (woken_.exchange(false)) owner_.woken();
}

void WebsocketLoop::run() {
    while (!ending_) serveOnce();

    owner_.farewell();
    const auto limit = std::chrono::steady_clock::now() + kFarewell;
    while (!owner_.silent() && std::chrono::steady_clock::now() < limit) serveOnce();
    lastWake_.wait();
    tick_.reset();
    timers_->end();
    // Here, not in end(): the callbacks of dying connections belong on this thread.
    lws_context_destroy(context_);
}

}  // namespace edgecam::uplink
