// Seating: who is served by which of a camera's renditions, and when they move: behind a key frame, so that
// nothing is missing between. It starts and stops nothing, and knows no source.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <vector>

#include "capture/camera.hpp"
#include "capture/encodes.hpp"
#include "capture/placement.hpp"

namespace edgecam::capture {

/// One of the camera's renditions.
struct Seat {
    Place place = Place::none;
    std::size_t slot = 0;  ///< among the encodes
    bool operator==(const Seat&) const = default;
};

/// The renditions that there are to be had.
struct Renditions {
    ChunkStream& passthrough;
    ChunkStream* sub;  ///< null: the camera has none
    Encodes& encodes;
    EncodedRendition& jpeg;

    /// Null for a seat that is none.
    [[nodiscard]] ChunkStream* at(const Seat& seat) const;
};

class SeatLease;

/// Thread-bound (main).
class Seating {
  public:
    struct Callbacks {
        std::function<CameraFacts()> facts;
        std::function<void()> changed;  ///< a wish is another: settle() is due, now
        std::function<void()> left;     ///< a lease is gone: settle() is due, soon
    };

    /// What `renditions` refers to and `clock` must outlive it, and it the leases.
    Seating(Renditions renditions, const Clock& clock, Callbacks callbacks);

    /// Fails as Camera::open() does.
    Result<std::unique_ptr<StreamLease>> open(const StreamRequest& request);

    /// Tunes the encodes for the wishes, moves who can be moved and tells them. Call it now and then.
    void settle();
    /// Whether the sub stream would serve anybody, were it there.
    [[nodiscard]] bool wantsSub() const;
    /// Whether anybody is there, or goes there.
    [[nodiscard]] bool held(const Seat& seat) const;
    /// Of the link of who is served there; null: there are several, or none.
    [[nodiscard]] std::shared_ptr<LinkGate> gateOf(const Seat& seat) const;

  private:
    friend SeatLease;

    [[nodiscard]] std::vector<Seat> seatsFor(const CameraFacts& known);
    void leave(const SeatLease* lease);

    const Renditions renditions_;
    const Clock& clock_;
    const Callbacks callbacks_;
    std::vector<SeatLease*> leases_;
};

}  // namespace edgecam::capture
