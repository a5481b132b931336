#include "uplink/http_service.hpp"

#include <libwebsockets.h>

#include <chrono>
#include <utility>

#include "base/bytes.hpp"
#include "uplink/http_files.hpp"

namespace edgecam::uplink {
namespace {

constexpr const char* kStreamPath = "/v1/stream";
constexpr const char* kHealthPath = "/healthz";
constexpr const char* kMetricsPath = "/metrics";
constexpr const char* kMetricsType = "text/plain; version=0.0.4; charset=utf-8";
constexpr const char* kPlainText = "text/plain; charset=utf-8";

/// Writes the answer; the connection ends behind it.
int end(lws* socket, const std::string& answer) {
    writeAnswer(socket, answer);
    return -1;
}

}  // namespace

HttpService::HttpService(const LocalServerSettings& settings, const Access& access, Doorkeeper& door,
                         const Clock& clock, std::function<LocalServer::Health()> health)
    : settings_(settings),
      access_(access),
      door_(door),
      clock_(clock),
      health_(std::move(health)),
      policy_(settings.allowedOrigins, settings.allowedHosts, machineName()) {}

std::optional<HttpRefusal> HttpService::refusalOf(lws* socket, bool upgrade) const {
    if (const auto oddity = oddityOf(socket, upgrade)) return oddity;
    const std::string host = headerOf(socket, WSI_TOKEN_HOST);
    if (!policy_.hostAllowed(host)) {
        return HttpRefusal{403, "This host name is not in allowed_hosts.", Denial::foreignHost};
    }
    if (!upgrade) return std::nullopt;
    if (headerOf(socket, WSI_TOKEN_GET_URI) != kStreamPath) {
        return HttpRefusal{404, "WebSockets are served at /v1/stream."};
    }
    if (!policy_.originAllowed(headerOf(socket, WSI_TOKEN_ORIGIN), host)) {
        return HttpRefusal{403, "This origin is not in allowed_origins.", Denial::foreignOrigin};
    }
    const auto token = bearerToken(headerOf(socket, WSI_TOKEN_HTTP_AUTHORIZATION));
    if (token && !access_.check(*token)) return HttpRefusal{401, "This token is not known here."};
    return std::nullopt;
}

/// Where an address was wrong too often, its token is not even looked at.
std::optional<std::string> HttpService::answerIfTriedTooOften(lws* socket, bool withBody) {
    door_.asked(socket, headerOf(socket, WSI_TOKEN_X_FORWARDED_FOR));
    const Microseconds wait = door_.waitOf(socket);
    if (wait == Microseconds(0) || !bearerToken(headerOf(socket, WSI_TOKEN_HTTP_AUTHORIZATION))) return {};
    door_.deny(Denial::tokenRate);
    return plainAnswer(
        429, kPlainText, "Too many wrong tokens from this address.", withBody,
        concat("Retry-After: ", std::chrono::ceil<std::chrono::seconds>(wait).count(), "\r\n"));
}

int HttpService::admitUpgrade(lws* socket) {
    if (const auto answer = answerIfTriedTooOften(socket, true)) return refuse(socket, *answer, "429");
    const auto refusal = refusalOf(socket, true);
    if (!refusal) return 0;
    if (refusal->denial) door_.deny(*refusal->denial);
    if (refusal->status == 401) wrongToken(socket);
    return refuse(socket, plainAnswer(refusal->status, kPlainText, refusal->sentence),
                  concat(refusal->status, " ", refusal->sentence));
}

int HttpService::refuse(lws* socket, const std::string& answer, std::string_view line) {
    const auto verdict = refusals_.ask(clock_.monotonic());
    if (verdict.write) {
        logInfo("uplink", "a viewer was refused: ", line, ", ", verdict.keptBack, " more before it");
    }
    return end(socket, answer);
}

void HttpService::wrongToken(lws* socket) {
    door_.wrongToken(socket);
    door_.deny(Denial::wrongToken);
}

int HttpService::serve(lws* socket, std::string_view path) {
    char* ignored = nullptr;
    int ignoredLength = 0;
    const int method = lws_http_get_uri_and_method(socket, &ignored, &ignoredLength);
    const bool head = method == LWSHUMETH_HEAD;
    if (const auto refusal = refusalOf(socket, false)) {
        if (refusal->denial) door_.deny(*refusal->denial);
        return end(socket, plainAnswer(refusal->status, kPlainText, refusal->sentence, !head));
    }
    if (method != LWSHUMETH_GET && !head) {
        return end(socket, plainAnswer(405, kPlainText, "Only GET and HEAD."));
    }
    if (path == kHealthPath) {
        const LocalServer::Health health = health_ ? health_() : LocalServer::Health{true, "{}"};
        return end(socket, plainAnswer(health.ok ? 200 : 503, "application/json", health.json, !head));
    }
    if (path == kMetricsPath && settings_.metrics) return serveMetrics(socket, head);
    return serveFile(socket, path, head);
}

/// A token that is wrong is refused even here: whoever sent it should know.
std::optional<Grant> HttpService::metricsGrant(lws* socket) const {
    const std::string authorization = headerOf(socket, WSI_TOKEN_HTTP_AUTHORIZATION);
    if (authorization.empty() && asksFromHere(socket)) return Grant{Role::viewer, {}};
    const auto token = bearerToken(authorization);
    return token ? access_.check(*token) : std::nullopt;
}

int HttpService::serveMetrics(lws* socket, bool head) {
    if (const auto answer = answerIfTriedTooOften(socket, !head)) return refuse(socket, *answer, "429");
    if (const auto grant = metricsGrant(socket)) {
        return end(socket, plainAnswer(200, kMetricsType, settings_.metrics(*grant), !head));
    }
    if (bearerToken(headerOf(socket, WSI_TOKEN_HTTP_AUTHORIZATION))) wrongToken(socket);
    return end(socket,
               plainAnswer(401, kPlainText,
                           "Metrics need a Bearer token, or to be asked for on the box itself.", !head));
}

int HttpService::serveFile(lws* socket, std::string_view path, bool head) const {
    const auto file = findPageFile(settings_.webRoot, path);
    if (!file) return end(socket, plainAnswer(404, kPlainText, "There is nothing here.", !head));
    const std::string headers = pageHeaders(headerOf(socket, WSI_TOKEN_HOST));
    const int outcome = lws_serve_http_file(socket, file->path.c_str(), file->mime.c_str(), headers.c_str(),
                                            static_cast<int>(headers.size()));
    if (outcome < 0) return -1;
    return outcome > 0 && lws_http_transaction_completed(socket) != 0 ? -1 : 0;
}

}  // namespace edgecam::uplink
