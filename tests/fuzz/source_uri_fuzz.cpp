#include "capture/source_uri.hpp"

#include <string>
#include <string_view>

using namespace edgecam;

namespace {

/// user:password@host:port of a URI.
std::string_view authorityOf(std::string_view uri) {
    const auto scheme = uri.find("://");
    if (scheme == std::string_view::npos) return {};
    const std::string_view rest = uri.substr(scheme + 3);
    return rest.substr(0, rest.find_first_of("/?#"));
}

}  // namespace

// A device that is named by what it is, is so by what it is shown as. A camera on the network shows itself,
// and is opened, without its user and password: those go another way.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const auto source = capture::parseSourceUri({reinterpret_cast<const char*>(data), size});
    if (!source) {
        if (source.error().message.empty()) __builtin_trap();
        return 0;
    }
    if (source->kind == capture::SourceKind::v4l2 && source->location.empty()) {
        // What it is shown as finds the same device.
        const auto again = capture::parseSourceUri(source->shown());
        if (!again || again->device != source->device) __builtin_trap();
    }
    if (source->kind != capture::SourceKind::rtsp) return 0;
    for (const std::string& text : {source->shown(), source->location}) {
        if (authorityOf(text).find('@') != std::string_view::npos) __builtin_trap();
    }
    return 0;
}
