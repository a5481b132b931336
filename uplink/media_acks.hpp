// MediaAcks: what a hub's `media_ack` messages tell of the way to it: when each picture was handed to the
// socket, and how long after that the hub had it. Where a proxy takes everything for the hub, nothing else
// tells. Pure; times are handed in. It knows no message and no socket.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <optional>

#include "base/clock.hpp"
#include "base/delays.hpp"
#include "uplink/token_bucket.hpp"

namespace edgecam::uplink {

/// Of one connection; not thread-safe.
///
/// A WebSocket keeps the order: a picture that has arrived says the same of all that was handed over before
/// it, on whatever channel.
class MediaAcks {
  public:
    /// The contract's.
    static constexpr double kMostPerSecond = 5;
    /// Pictures remembered: a quarter of a minute of four cameras. An acknowledgement of an older one tells
    /// only that.
    static constexpr std::size_t kMostRemembered = 2048;
    /// A hub that has acknowledged nothing for so long has given it up, and is followed no more until it does
    /// again: that it does so must not cost the video.
    static constexpr Microseconds kSilence = std::chrono::seconds(10);

    explicit MediaAcks(Monotonic now) : pace_(kMostPerSecond, kMostPerSecond, now), heardAt_(now) {}

    /// The last byte of a picture was given to the socket.
    void handed(std::uint16_t channel, std::uint32_t sequence, Monotonic now);

    enum class Verdict {
        taken,
        old,              ///< known already by a later one, or forgotten: it tells nothing
        tooOften,         ///< not looked at
        unknownChannel,   ///< nothing of it was ever handed over
        unknownSequence,  ///< that is still to come
    };
    Verdict acknowledged(std::uint16_t channel, std::uint32_t sequence, Monotonic now);

    /// From when a picture was handed over until it was acknowledged, the way back included: of the last one,
    /// or what the next one will have at least. For that counts how long pictures were handed over without
    /// one being acknowledged, less the pace at which this hub does it. Nothing: none was yet, or see
    /// kSilence.
    [[nodiscard]] std::optional<Microseconds> delay(Monotonic now) const;
    /// Of all that were acknowledged by themselves.
    [[nodiscard]] const Delays& delays() const { return delays_; }

  private:
    struct Picture {
        std::uint16_t channel = 0;
        std::uint32_t sequence = 0;
        Monotonic at;
    };
    [[nodiscard]] Microseconds usualPause() const;

    TokenBucket pace_;
    std::deque<Picture> pictures_;                   ///< not acknowledged, in the order of the socket
    std::map<std::uint16_t, std::uint32_t> newest_;  ///< handed over, by channel
    std::optional<Microseconds> last_;
    Monotonic heardAt_;
    std::deque<Microseconds> pauses_;  ///< between the last acknowledgements
    Delays delays_;
};

}  // namespace edgecam::uplink
