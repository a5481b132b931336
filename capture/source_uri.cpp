#include "capture/source_uri.hpp"

#include <glib.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <memory>
#include <vector>

#include "base/log.hpp"
#include "capture/device_finder.hpp"

namespace edgecam::capture {
namespace {

constexpr Size kSmallest{16, 16};
constexpr Size kSmallestScene{320, 180};  // below it the time code cannot be read
constexpr Size kLargest{8192, 8192};
constexpr double kFastest = 240;
constexpr std::size_t kLongestIdentity = 128;  // a USB string has at most 126 characters

struct UriUnref {
    void operator()(GUri* uri) const { g_uri_unref(uri); }
};
using UriPtr = std::unique_ptr<GUri, UriUnref>;

std::string textOf(const char* text) {
    return text ? text : "";
}

/// What is wrong, in words of our own: GLib's would quote the part, and the part may be a password.
std::string reasonOf(const GError& error) {
    switch (error.code) {
        case G_URI_ERROR_BAD_SCHEME:
            return "the scheme is not valid";
        case G_URI_ERROR_BAD_USER:
        case G_URI_ERROR_BAD_PASSWORD:
        case G_URI_ERROR_BAD_AUTH_PARAMS:
            return "user or password: a character is not percent-encoded as it should be";
        case G_URI_ERROR_BAD_HOST:
            return "the host is not valid";
        case G_URI_ERROR_BAD_PORT:
            return "the port is not a number from 1 to 65535 (in a password write %2F for '/', %3F for '?', "
                   "%23 for "
                   "'#', %40 for '@')";
        case G_URI_ERROR_BAD_PATH:
            return "the path: a character is not percent-encoded as it should be";
        case G_URI_ERROR_BAD_QUERY:
            return "the query: a character is not percent-encoded as it should be";
        case G_URI_ERROR_BAD_FRAGMENT:
            return "the part after '#' is not valid";
        default:
            return "it is not a URI";
    }
}

/// Path and query stay as written; user, password and host are percent-decoded.
Result<UriPtr> parseUri(const std::string& text) {
    constexpr auto kFlags = static_cast<GUriFlags>(G_URI_FLAGS_HAS_PASSWORD | G_URI_FLAGS_ENCODED_PATH |
                                                   G_URI_FLAGS_ENCODED_QUERY);
    GError* error = nullptr;
    UriPtr uri(g_uri_parse(text.c_str(), kFlags, &error));
    if (uri) return uri;
    const std::string reason = reasonOf(*error);
    g_error_free(error);
    return Error{reason};
}

Result<std::string> decoded(const char* path) {
    const std::unique_ptr<char, decltype(&g_free)> text(g_uri_unescape_string(path, nullptr), &g_free);
    if (!text) return Error{"the path: a '%' is not followed by two hex digits, or stands for a null byte"};
    return std::string(text.get());
}

template <class Number>
std::optional<Number> numberIn(std::string_view text) {
    Number value{};
    const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (failure != std::errc() || end != text.data() + text.size()) return std::nullopt;
    return value;
}

Result<void> setLength(int& length, std::string_view name, std::string_view value, int least, int most) {
    const auto number = numberIn<int>(value);
    if (!number || *number < least || *number > most) {
        return Error{concat(name, ": must be a whole number from ", least, " to ", most)};
    }
    length = *number;
    return {};
}

Result<void> setFrameRate(double& rate, std::string_view value) {
    const auto number = numberIn<double>(value);
    if (!number || !(*number > 0) || *number > kFastest) {
        return Error{concat("fps: must be a number above 0, at most ", kFastest)};
    }
    rate = *number;
    return {};
}

Result<void> setPixelFormat(std::string& format, std::string_view value) {
    const auto fits = [](char c) { return g_ascii_isupper(c) || g_ascii_isdigit(c); };
    if (value.size() != 4 || !std::all_of(value.begin(), value.end(), fits)) {
        return Error{"format: must be a fourcc of capital letters and digits, such as MJPG, YUYV or H264"};
    }
    format = value;
    return {};
}

/// A part of what a camera must be. Compared with what a device says of itself, made safe: plain ASCII.
Result<void> setIdentity(std::string& part, std::string_view name, std::string_view value) {
    const auto fits = [](char c) { return c >= ' ' && c <= '~'; };
    if (value.empty() || value.size() > kLongestIdentity || !std::ranges::all_of(value, fits)) {
        return Error{concat(name, ": must be 1 to ", kLongestIdentity, " printable ASCII characters")};
    }
    part = value;
    return {};
}

Result<void> setOption(SourceUri& source, std::string_view name, std::string_view value) {
    const Size least = source.kind == SourceKind::test ? kSmallestScene : kSmallest;
    if (name == "width") return setLength(source.size.width, name, value, least.width, kLargest.width);
    if (name == "height") return setLength(source.size.height, name, value, least.height, kLargest.height);
    if (name == "fps") return setFrameRate(source.frameRate, value);
    if (source.kind == SourceKind::v4l2) {
        if (name == "format") return setPixelFormat(source.pixelFormat, value);
        if (name == "serial") return setIdentity(source.device.serial, name, value);
        if (name == "name") return setIdentity(source.device.name, name, value);
        if (name == "bus") return setIdentity(source.device.bus, name, value);
    }
    return Error{concat("unknown option \"", name, "\"; known are width, height, fps",
                        source.kind == SourceKind::v4l2 ? ", format, serial, name, bus" : "")};
}

/// The query of a v4l2 or test URI: options, each at most once.
Result<void> readOptions(SourceUri& source, const char* query) {
    if (!query) return {};
    GUriParamsIter iterator;
    g_uri_params_iter_init(&iterator, query, -1, "&", G_URI_PARAMS_NONE);
    std::vector<std::string> seen;
    for (;;) {
        char* rawName = nullptr;
        char* rawValue = nullptr;
        GError* error = nullptr;
        const bool found = g_uri_params_iter_next(&iterator, &rawName, &rawValue, &error) != FALSE;
        const std::string name = textOf(rawName);
        const std::string value = textOf(rawValue);
        g_free(rawName);
        g_free(rawValue);
        if (error) {
            g_error_free(error);
            return Error{"the query must read name=value, joined by '&'"};
        }
        if (!found) break;
        if (std::find(seen.begin(), seen.end(), name) != seen.end()) return Error{name + ": given twice"};
        seen.push_back(name);
        if (auto set = setOption(source, name, value); !set) return set;
    }
    if ((source.size.width > 0) != (source.size.height > 0)) return Error{"width and height go together"};
    if (source.kind == SourceKind::test && (source.size.width % 2 != 0 || source.size.height % 2 != 0)) {
        return Error{"width and height of a test picture must be even"};
    }
    return {};
}

Result<SourceUri> v4l2Source(GUri* uri) {
    SourceUri source;
    source.kind = SourceKind::v4l2;
    if (!textOf(g_uri_get_host(uri)).empty()) {
        return Error{"a device has no host: write three slashes, v4l2:///dev/video0"};
    }
    auto path = decoded(g_uri_get_path(uri));
    if (!path) return path.error();
    source.location = *std::move(path);
    if (auto read = readOptions(source, g_uri_get_query(uri)); !read) return read.error();
    const bool identified = source.device != DeviceIdentity{};
    if (identified && !source.location.empty()) {
        return Error{"serial, name and bus stand in place of a path: v4l2:?serial=8A3F"};
    }
    if (!identified && (!source.location.starts_with("/dev/") || source.location.size() == 5)) {
        return Error{"the device must lie in /dev, e.g. v4l2:///dev/video0, or be named: v4l2:?serial=8A3F"};
    }
    return source;
}

/// '/', '?', '@' or '#' in a password that was not encoded end the authority early: part of the password
/// would become path or query, and be logged.
bool looksLikeSplitPassword(GUri* uri) {
    const std::string rest = textOf(g_uri_get_path(uri)) + textOf(g_uri_get_query(uri));
    return !g_uri_get_user(uri) && rest.find('@') != std::string::npos;
}

Result<SourceUri> rtspSource(GUri* uri, RtspTransport transport) {
    constexpr auto kFlags = static_cast<GUriFlags>(G_URI_FLAGS_ENCODED_PATH | G_URI_FLAGS_ENCODED_QUERY);
    SourceUri source;
    source.kind = SourceKind::rtsp;
    source.transport = transport;
    const std::string host = textOf(g_uri_get_host(uri));
    if (host.empty()) return Error{"the host is missing"};
    if (host.find('@') != std::string::npos) return Error{"write %40 for an '@' in user or password"};
    const auto fits = [](char c) {
        return g_ascii_isalnum(c) || std::string_view(".-_:%").find(c) != std::string_view::npos;
    };
    if (!std::all_of(host.begin(), host.end(), fits)) return Error{"the host is not valid"};
    if (g_uri_get_port(uri) == 0) return Error{"the port is not a number from 1 to 65535"};
    if (g_uri_get_fragment(uri)) return Error{"write %23 for a '#'"};
    if (looksLikeSplitPassword(uri)) {
        return Error{
            "there is an '@' behind the host: in a password write %2F for '/', %3F for '?', %40 for '@'; in "
            "a "
            "path write %40"};
    }
    source.user = textOf(g_uri_get_user(uri));
    source.password = textOf(g_uri_get_password(uri));
    if (source.user.empty() && !source.password.empty()) return Error{"there is a password but no user"};
    const std::unique_ptr<char, decltype(&g_free)> location(
        g_uri_join(kFlags, "rtsp", nullptr, host.c_str(), g_uri_get_port(uri), g_uri_get_path(uri),
                   g_uri_get_query(uri), nullptr),
        &g_free);
    source.location = location.get();
    return source;
}

Result<SourceUri> fileSource(GUri* uri) {
    SourceUri source;
    source.kind = SourceKind::file;
    const std::string host = textOf(g_uri_get_host(uri));
    if (!host.empty() && host != "localhost") {
        return Error{"a file has no host: write file:///absolute/path.mp4 or file:relative/path.mp4"};
    }
    if (g_uri_get_query(uri)) return Error{"a file has no options: write %3F for a '?' in its name"};
    if (g_uri_get_fragment(uri)) return Error{"write %23 for a '#' in a file's name"};
    auto path = decoded(g_uri_get_path(uri));
    if (!path) return path.error();
    source.location = *std::move(path);
    if (source.location.empty() || source.location.back() == '/') return Error{"the file's name is missing"};
    return source;
}

Result<SourceUri> testSource(GUri* uri) {
    SourceUri source;
    source.kind = SourceKind::test;
    const std::string pattern = textOf(g_uri_get_host(uri));
    const std::string path = textOf(g_uri_get_path(uri));
    if (pattern == "faces") {
        source.pattern = TestPattern::faces;
    } else if (pattern == "bars") {
        source.pattern = TestPattern::bars;
    } else if (pattern == "noise") {
        source.pattern = TestPattern::noise;
    } else {
        return Error{"the pattern must be test://faces, test://bars or test://noise"};
    }
    if (!path.empty() && path != "/") return Error{"there is something between pattern and options"};
    if (auto read = readOptions(source, g_uri_get_query(uri)); !read) return read.error();
    return source;
}

Result<SourceUri> sourceOf(GUri* uri) {
    const std::string scheme = textOf(g_uri_get_scheme(uri));
    if (scheme == "rtsp") return rtspSource(uri, RtspTransport::tcp);
    if (scheme == "rtspu") return rtspSource(uri, RtspTransport::udp);
    if (scheme == "file") return fileSource(uri);
    if (scheme != "v4l2" && scheme != "test") {
        return Error{concat("unknown scheme \"", scheme, "\"; known are v4l2, rtsp, rtspu, file, test")};
    }
    if (g_uri_get_user(uri) || g_uri_get_port(uri) >= 0)
        return Error{"only rtsp has user, password and port"};
    if (g_uri_get_fragment(uri)) return Error{"there is a '#' in it"};
    return scheme == "v4l2" ? v4l2Source(uri) : testSource(uri);
}

}  // namespace

std::string SourceUri::shown() const {
    switch (kind) {
        case SourceKind::v4l2:
            return location.empty() ? identityUri(device) : location;
        case SourceKind::file:
            return location;
        case SourceKind::rtsp: {
            // Some cameras take the password in the query, or as name=value in the path.
            const std::size_t secret = location.find_first_of("?=");
            return secret == std::string::npos ? location : location.substr(0, secret + 1) + "...";
        }
        case SourceKind::test:
            break;
    }
    constexpr std::array<const char*, 3> kPatterns{"test://faces", "test://bars", "test://noise"};
    return kPatterns[static_cast<std::size_t>(pattern)];
}

Result<SourceUri> parseSourceUri(std::string_view text) {
    if (text.empty()) return Error{"it is empty"};
    if (std::any_of(text.begin(), text.end(), [](char c) { return g_ascii_iscntrl(c); })) {
        return Error{"there is a control character in it"};
    }
    const std::string copy(text);
    // Not g_uri_peek_scheme(), which keeps every scheme that it ever saw.
    const std::unique_ptr<char, decltype(&g_free)> scheme(g_uri_parse_scheme(copy.c_str()), &g_free);
    if (!scheme) {
        return Error{
            "it has no scheme: write v4l2:///dev/video0, rtsp://host/path, file:///clip.mp4 or test://faces"};
    }
    const auto uri = parseUri(copy);
    if (!uri) return uri.error();
    return sourceOf(uri->get());
}

}  // namespace edgecam::capture
