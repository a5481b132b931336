// RateController: what bitrate an encoder should aim at so that pictures pass one TCP connection while they
// are fresh, and whether the next picture is worth encoding at all. Pure; times are handed in. It knows no
// socket, no message, no lane and no encoder.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>

#include "base/clock.hpp"

namespace edgecam::uplink {

/// One connection and its video lane at one moment.
struct RateSample {
    Monotonic at;
    /// Age of the oldest access unit not wholly handed to the socket; 0: none waits.
    Microseconds sojourn{0};
    std::size_t waiting = 0;  ///< bytes of video not yet handed to the socket
    std::size_t unsent = 0;   ///< bytes handed to it that the kernel has not sent: tcpi_notsent_bytes
    /// Bytes handed to it that are not acknowledged, `unsent` included: SIOCOUTQ.
    std::size_t outstanding = 0;
    Microseconds leastRtt{0};    ///< without queueing: LinkMeter::minimumRtt()
    Microseconds queueDelay{0};  ///< what the smoothed round trip has above that
    std::uint64_t acked = 0;     ///< bytes since the connection began: tcpi_bytes_acked
    bool appLimited = false;     ///< at some time since the last sample no video waited
    double receiverLimited = 0;  ///< share of that time in which the peer's window was the limit, 0 to 1
    /// From when an access unit was handed to the socket until the hub's `media_ack` for it; where a proxy
    /// answers for the hub, all that tells of the way behind it.
    std::optional<Microseconds> mediaAckDelay;
};

enum class RateState {
    start,    ///< nothing was ever in the way: upwards
    hold,     ///< enough for now: something waits a little, was just cut, or the receiver is the limit
    probe,    ///< upwards
    cut,      ///< more waits than may; the rate is a share of what the link was seen to carry
    survive,  ///< nothing gets through
};

/// The word for a state, for status and metrics.
const char* nameOf(RateState state);

struct RateDecision {
    int kbps = 0;  ///< for the encoder, the limits kept
    RateState state = RateState::start;
    /// Wish: drop all video that waits and go on with a key frame. At most once a second, as key frames are
    /// forced.
    bool flush = false;
};

/// Both may be changed while it runs.
struct RateLimits {
    int leastKbps = 100;
    int mostKbps = 4000;
};

/// Chosen by simulation on steps and LTE traces (bench/rate_simulation, docs/benchmarks.md).
struct RateTuning {
    int firstKbps = 500;

    /// A picture is encoded only while all before it is gone so soon, beyond a round trip and a quarter (what
    /// is under way anyway; it is seen a round trip late).
    Microseconds pictureWait = std::chrono::milliseconds(64);
    double roundTrips = 1.25;
    int manyHeldBack = 4;  ///< so many pictures held back in a second mean that the rate is too high

    /// To be cut, delay must have stayed: the least of three samples counts, as CoDel (RFC 8289) takes a
    /// minimum. A pause of the radio is no queue.
    Microseconds targetDelay = std::chrono::milliseconds(120);  ///< above: cut
    Microseconds calmDelay = std::chrono::milliseconds(80);     ///< below: probe
    Microseconds hardDelay = std::chrono::milliseconds(500);    ///< of the lane; above: flush

    double share = 0.8;       ///< of what was carried in `carriedOver`: the rate after a cut
    double deepestCut = 0.5;  ///< of the rate, at once
    Microseconds carriedOver = std::chrono::milliseconds(1100);
    Microseconds betweenCuts = std::chrono::milliseconds(250);
    Microseconds holdAfterCut = std::chrono::milliseconds(200);
    /// What waits beyond `drainAbove` is to be gone in `drainWithin`: the encoder gets so much less until it
    /// is, but `leastShare` of the rate.
    Microseconds drainAbove = std::chrono::milliseconds(50);
    Microseconds drainWithin = std::chrono::milliseconds(550);
    double leastShare = 0.4;

    /// Growth, in shares of the rate a second, less as the delay nears `calmDelay`. The smoothed queueing
    /// delay is about half of what one frame takes; where it is far below `frameSpan`, the link is far from
    /// full and the rate grows by up to `growthWhenIdle` besides.
    double growth = 0.3;
    double growthWhenIdle = 7;
    Microseconds frameSpan = std::chrono::milliseconds(37);
    /// Where the link was last seen full, within a tenth; until that is forgotten.
    double growthAtCeiling = 0.03;
    Microseconds ceilingLasts = std::chrono::seconds(10);

    Microseconds silence = std::chrono::milliseconds(200);  ///< without an acknowledgement: survive
    /// What lasted so long changes the link: so many times the rate is tried first. More than the rate: a
    /// link fades before it goes, so what it was last seen to carry says little, and pictures that find no
    /// room are held back anyway.
    Microseconds outage = std::chrono::milliseconds(500);
    double afterOutage = 1.6;
};

/// Not thread-safe.
///
/// Two means work together. The bitrate follows what the link carries in seconds; the picture that is not
/// encoded answers within a frame when it suddenly carries less (Salsify, NSDI '18: decide for each frame,
/// never send before the network is ready). Held back before the encoder, a picture costs nothing: the next
/// one builds on the last that was encoded. Both kinds of news, pictures held back and delay that stays,
/// lower the rate. Where nobody asks takesPicture(), delay alone does, later.
class RateController {
  public:
    static constexpr Microseconds kTick = std::chrono::milliseconds(100);

    explicit RateController(RateLimits limits, RateTuning tuning = {});

    /// Every kTick, about.
    RateDecision tick(const RateSample& sample);

    /// Whether the next picture should be encoded. `queued`: bytes of video encoded, waiting or handed to the
    /// socket that are not acknowledged, not older than some 10 ms. To be asked once for each picture: the
    /// answers count.
    bool takesPicture(Monotonic now, std::size_t queued);
    /// The same for who asks on another thread: `queued` may be so much, as of the last tick...
    [[nodiscard]] std::size_t pictureAllowance() const;
    /// ...and so many pictures were refused since.
    void refused(Monotonic now, std::uint32_t pictures);

    void setLimits(RateLimits limits);
    [[nodiscard]] RateState state() const { return state_; }
    /// What would wait of a picture captured now, as of the last tick.
    [[nodiscard]] Microseconds delay() const;

  private:
    struct Seen {
        Monotonic at;
        std::uint64_t acked = 0;
        bool busy = false;  ///< the link had something to carry all the time since the one before
    };

    [[nodiscard]] double carried(std::size_t ticks) const;
    [[nodiscard]] double carriedWhileBusy(Microseconds within) const;
    [[nodiscard]] double capacity() const;
    [[nodiscard]] double standingDelay() const;
    [[nodiscard]] bool usesItsRate() const;
    /// Queueing behind the socket.
    struct Behind {
        Microseconds delay{0};
        bool hidden = false;  ///< much of it where TCP sees nothing: in a proxy
    };
    [[nodiscard]] Behind delayBehind(const RateSample& sample);
    void follow(const RateSample& sample, const Behind& behind);
    void followDelay(const RateSample& sample, Microseconds behind, Microseconds silence);
    void resume();
    void decide(const RateSample& sample, RateDecision& decision);
    bool cut(Monotonic now);
    void grow(Monotonic now);
    [[nodiscard]] bool shouldFlush(const RateSample& sample) const;
    [[nodiscard]] std::ptrdiff_t heldBack(Monotonic now);
    [[nodiscard]] double target() const;

    RateLimits limits_;
    const RateTuning tuning_;
    RateState state_ = RateState::start;
    double rate_;  ///< bytes a second, as are all rates here

    std::deque<Seen> seen_;
    std::size_t busyTicks_ = 0;
    double capacity_ = 0;
    Monotonic lastProgress_;
    std::optional<Microseconds> outage_;  ///< how long nothing has got through

    Microseconds leastRtt_{0};
    double delay_ = 0;           ///< seconds
    std::deque<double> delays_;  ///< of the last samples
    struct AckDelay {
        Monotonic at;
        Microseconds delay;
    };
    std::deque<AckDelay> ackDelays_;  ///< the least, and those that are the least after it
    std::deque<Monotonic> heldBack_;

    std::optional<Monotonic> lastCut_;
    std::optional<Monotonic> lastFlush_;
    double ceiling_ = 0;  ///< 0: none
    Monotonic ceilingSeenAt_;
};

}  // namespace edgecam::uplink
