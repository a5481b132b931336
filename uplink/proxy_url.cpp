#include "uplink/proxy_url.hpp"

#include <glib.h>

#include <algorithm>
#include <memory>
#include <string_view>

#include "base/log.hpp"

namespace edgecam::uplink {
namespace {

// What libwebsockets 4.1.6 has room for.
constexpr std::size_t kMaxCredentials = 93;
constexpr std::size_t kMaxHost = 120;

/// Escapes are decoded by then: what would make libwebsockets take a part of it for something else is no
/// host.
bool isHost(const std::string& text) {
    const auto fits = [](char c) {
        return c > ' ' && c < 127 && std::string_view("@/[]?#").find(c) == std::string_view::npos;
    };
    return !text.empty() && std::all_of(text.begin(), text.end(), fits);
}

std::string orEmpty(const char* text) {
    return text != nullptr ? text : "";
}

}  // namespace

std::string ProxyUrl::shown() const {
    return host.find(':') == std::string::npos ? concat(host, ":", port) : concat("[", host, "]:", port);
}

Result<ProxyUrl> parseProxyUrl(const std::string& text) {
    const Error malformed{"not a proxy's address: http://HOST:PORT or http://USER:PASSWORD@HOST:PORT"};
    const bool printable = std::all_of(text.begin(), text.end(), [](char c) { return c > ' ' && c < 127; });
    if (!printable) return malformed;
    const std::unique_ptr<GUri, decltype(&g_uri_unref)> uri(
        g_uri_parse(text.c_str(), G_URI_FLAGS_HAS_PASSWORD, nullptr), &g_uri_unref);
    if (!uri) return malformed;
    if (orEmpty(g_uri_get_scheme(uri.get())) != "http") return Error{"a proxy's address begins with http://"};
    const std::string path = orEmpty(g_uri_get_path(uri.get()));
    const bool more = g_uri_get_query(uri.get()) != nullptr || g_uri_get_fragment(uri.get()) != nullptr;
    if ((!path.empty() && path != "/") || more) return malformed;

    ProxyUrl proxy;
    proxy.host = orEmpty(g_uri_get_host(uri.get()));
    proxy.port = g_uri_get_port(uri.get());
    if (!isHost(proxy.host) || proxy.port <= 0) return malformed;
    if (proxy.host.size() > kMaxHost) return Error{concat("a host longer than ", kMaxHost, " characters")};
    if (g_uri_get_userinfo(uri.get()) == nullptr) return proxy;
    const std::string user = orEmpty(g_uri_get_user(uri.get()));
    // RFC 7617 section 2: the colon ends the name.
    if (user.empty() || user.find(':') != std::string::npos) return malformed;
    proxy.credentials = concat(user, ":", orEmpty(g_uri_get_password(uri.get())));
    if (proxy.credentials.size() > kMaxCredentials) {
        return Error{concat("user name and password of the proxy are longer than ", kMaxCredentials - 1,
                            " characters together")};
    }
    return proxy;
}

}  // namespace edgecam::uplink
