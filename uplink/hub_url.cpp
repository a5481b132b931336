#include "uplink/hub_url.hpp"

#include <glib.h>

#include <algorithm>
#include <memory>

#include "base/log.hpp"

namespace edgecam::uplink {
namespace {

constexpr int kPlainPort = 80;
constexpr int kSecurePort = 443;

std::string bracketed(const std::string& host) {
    return host.find(':') == std::string::npos ? host : concat("[", host, "]");
}

std::string orEmpty(const char* text) {
    return text != nullptr ? text : "";
}

}  // namespace

std::string HubUrl::authority() const {
    const bool usual = port == (secure ? kSecurePort : kPlainPort);
    return usual ? bracketed(host) : concat(bracketed(host), ":", port);
}

Result<HubUrl> parseHubUrl(const std::string& text) {
    // What is in the URL goes into the request's head as it is: no line may be broken there.
    const bool printable = std::all_of(text.begin(), text.end(), [](char c) { return c > ' ' && c < 127; });
    if (!printable) return Error{"not a URL: only printable ASCII, other characters as %xx"};
    const auto flags = static_cast<GUriFlags>(G_URI_FLAGS_ENCODED | G_URI_FLAGS_HAS_PASSWORD);
    const std::unique_ptr<GUri, decltype(&g_uri_unref)> uri(g_uri_parse(text.c_str(), flags, nullptr),
                                                            &g_uri_unref);
    // GLib's own words would quote the part at fault, which may hold a password.
    if (!uri) return Error{"not a URL: its host, port or an escape (%xx) is malformed"};
    const std::string scheme = orEmpty(g_uri_get_scheme(uri.get()));
    if (scheme != "ws" && scheme != "wss") return Error{"a hub's URL begins with ws:// or wss://"};
    if (g_uri_get_userinfo(uri.get()) != nullptr) {
        return Error{"no user name in a hub's URL, the token has its own field"};
    }
    if (g_uri_get_fragment(uri.get()) != nullptr) return Error{"no fragment (#) in a hub's URL"};

    HubUrl url;
    url.secure = scheme == "wss";
    url.host = orEmpty(g_uri_get_host(uri.get()));
    if (url.host.empty()) return Error{"a hub's URL needs a host"};
    const int port = g_uri_get_port(uri.get());
    if (port == 0) return Error{"port 0 is nobody's"};
    url.port = port > 0 ? port : (url.secure ? kSecurePort : kPlainPort);
    const std::string path = orEmpty(g_uri_get_path(uri.get()));
    url.path = path.empty() ? "/" : path;
    url.shown = concat(scheme, "://", url.authority(), url.path);
    if (const char* query = g_uri_get_query(uri.get())) url.path += concat("?", query);
    return url;
}

}  // namespace edgecam::uplink
