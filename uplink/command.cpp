#include "uplink/command.hpp"

#include <algorithm>

namespace edgecam::uplink {

bool isCameraId(std::string_view word) {
    constexpr std::size_t kMaxLength = 64;
    return !word.empty() && word.size() <= kMaxLength && std::ranges::all_of(word, [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
               c == '-';
    });
}

const char* nameOf(ErrorCode code) {
    switch (code) {
        case ErrorCode::unauthorized:
            return "unauthorized";
        case ErrorCode::forbidden:
            return "forbidden";
        case ErrorCode::badRequest:
            return "bad_request";
        case ErrorCode::unsupported:
            return "unsupported";
        case ErrorCode::unknownCamera:
            return "unknown_camera";
        case ErrorCode::notFound:
            return "not_found";
        case ErrorCode::unavailable:
            return "unavailable";
        case ErrorCode::busy:
            return "busy";
        case ErrorCode::tooLarge:
            return "too_large";
        case ErrorCode::rateLimited:
            return "rate_limited";
        case ErrorCode::expired:
            return "expired";
        case ErrorCode::conflict:
            return "conflict";
        case ErrorCode::cameraFailed:
            return "camera_failed";
        case ErrorCode::internal:
            return "internal";
    }
    return "internal";
}

const char* nameOf(ConfigAction action) {
    switch (action) {
        case ConfigAction::get:
            return "get";
        case ConfigAction::check:
            return "check";
        case ConfigAction::apply:
            return "apply";
        case ConfigAction::confirm:
            return "confirm";
        case ConfigAction::revert:
            return "revert";
    }
    return "get";
}

}  // namespace edgecam::uplink
