#include "uplink/http_files.hpp"

#include <algorithm>
#include <array>
#include <filesystem>
#include <system_error>
#include <utility>

#include "base/log.hpp"

namespace edgecam::uplink {
namespace {

constexpr std::array<std::pair<std::string_view, std::string_view>, 12> kTypes{{
    {".html", "text/html; charset=utf-8"},
    {".css", "text/css; charset=utf-8"},
    {".js", "text/javascript; charset=utf-8"},
    {".mjs", "text/javascript; charset=utf-8"},
    {".json", "application/json"},
    {".webmanifest", "application/manifest+json"},
    {".svg", "image/svg+xml"},
    {".png", "image/png"},
    {".jpg", "image/jpeg"},
    {".ico", "image/x-icon"},
    {".woff2", "font/woff2"},
    {".txt", "text/plain; charset=utf-8"},
}};

std::optional<std::string_view> typeOf(std::string_view path) {
    for (const auto& [ending, type] : kTypes) {
        if (path.ends_with(ending)) return type;
    }
    return std::nullopt;
}

constexpr std::string_view kEverywhere =
    "X-Content-Type-Options: nosniff\r\n"
    "X-Frame-Options: DENY\r\n"
    "Referrer-Policy: no-referrer\r\n"
    "Cross-Origin-Resource-Policy: same-origin\r\n";
// An answer is no page, and may be what only one token was to see.
constexpr std::string_view kForAnswers =
    "Cache-Control: no-store\r\n"
    "Content-Security-Policy: default-src 'none'; frame-ancestors 'none'\r\n";

bool plain(std::string_view part) {
    return !part.empty() && part.front() != '.' && std::all_of(part.begin(), part.end(), [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' ||
               c == '_' || c == '-';
    });
}

// "/a/b.js" -> "a/b.js", "/" -> "index.html"; nothing when a part is not plain.
std::optional<std::string> relativePath(std::string_view urlPath) {
    if (!urlPath.starts_with('/')) return std::nullopt;
    std::string path(urlPath.substr(1));
    if (path.empty() || path.ends_with('/')) path += "index.html";
    std::string_view rest = path;
    while (true) {
        const auto slash = rest.find('/');
        if (!plain(rest.substr(0, slash))) return std::nullopt;
        if (slash == std::string_view::npos) return path;
        rest.remove_prefix(slash + 1);
    }
}

const char* phraseOf(int status) {
    switch (status) {
        case 200:
            return "OK";
        case 400:
            return "Bad Request";
        case 401:
            return "Unauthorized";
        case 403:
            return "Forbidden";
        case 404:
            return "Not Found";
        case 405:
            return "Method Not Allowed";
        case 426:
            return "Upgrade Required";
        case 429:
            return "Too Many Requests";
        case 503:
            return "Service Unavailable";
        default:
            return "Error";
    }
}

}  // namespace

std::optional<PageFile> findPageFile(const std::string& root, std::string_view urlPath) {
    namespace fs = std::filesystem;
    if (root.empty()) return std::nullopt;
    const auto relative = relativePath(urlPath);
    if (!relative) return std::nullopt;
    const auto type = typeOf(*relative);
    if (!type) return std::nullopt;

    std::error_code trouble;
    const fs::path base = fs::canonical(root, trouble);
    if (trouble) return std::nullopt;
    const fs::path file = fs::canonical(base / *relative, trouble);
    if (trouble || !fs::is_regular_file(file, trouble)) return std::nullopt;
    const auto [end, ignored] = std::mismatch(base.begin(), base.end(), file.begin(), file.end());
    if (end != base.end()) return std::nullopt;
    return PageFile{file.string(), std::string(*type)};
}

std::string pageHeaders(std::string_view host) {
    // Not every browser counts a WebSocket to the same host as 'self'. A policy knows no IPv6 address and
    // must not be written by a peer.
    const bool plainName = !host.empty() && std::ranges::all_of(host, [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' ||
               c == '-' || c == ':';
    });
    const std::string sockets = plainName ? concat("ws://", host, " wss://", host) : "ws: wss:";
    return concat(
        "Cache-Control: no-cache\r\nContent-Security-Policy: default-src 'self'; connect-src 'self' ",
        sockets,
        "; media-src 'self' blob:; img-src 'self' blob: data:; object-src 'none'; base-uri 'none'; "
        "form-action 'none'; frame-ancestors 'none'\r\n",
        kEverywhere);
}

std::string plainAnswer(int status, std::string_view mime, std::string_view body, bool withBody,
                        std::string_view more) {
    std::string extra(more);
    if (status == 401) extra += "WWW-Authenticate: Bearer\r\n";
    if (status == 426) extra += "Sec-WebSocket-Version: 13\r\n";
    if (status == 405) extra += "Allow: GET, HEAD\r\n";
    return concat("HTTP/1.1 ", status, " ", phraseOf(status), "\r\nContent-Type: ", mime,
                  "\r\nContent-Length: ", body.size(), "\r\nConnection: close\r\n", extra, kForAnswers,
                  kEverywhere, "\r\n", withBody ? body : std::string_view());
}

}  // namespace edgecam::uplink
