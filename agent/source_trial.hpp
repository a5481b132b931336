// SourceTrial: whether a camera's source can be opened from this machine, by opening it as the agent would.
#pragma once

#include <string>

#include "base/clock.hpp"
#include "base/json.hpp"
#include "base/media.hpp"
#include "capture/source_uri.hpp"

namespace edgecam::agent {

struct SourceTrial {
    std::string source;  ///< as shown: without credentials
    CameraStatus status;
    std::string
        codec;  ///< RFC 6381, as the source gives it or the agent would encode it; empty: not seen in time

    [[nodiscard]] bool reachable() const { return status.state == CameraState::live; }
    /// Fields of an object.
    void write(JsonWriter& json) const;
    /// One line for a person.
    [[nodiscard]] std::string text() const;
};

/// Opens it, waits until it gives pictures, fails for the first time, or `within` is over, and closes it,
/// which takes 1 s at most. Runs the default GLib context meanwhile: only in a program that has nothing else
/// to do.
SourceTrial trySource(const capture::SourceUri& source, Microseconds within);

}  // namespace edgecam::agent
