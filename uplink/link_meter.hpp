// LinkMeter: what one TCP connection's link carries, learnt from what the kernel says of the socket, and what
// follows from it: how much video may be under way, how big a part should be, when to look again. It knows no
// message and reads no clock; only readLink() touches a socket.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>

#include "base/clock.hpp"

namespace edgecam::uplink {

/// One connection at one moment.
struct LinkSample {
    Monotonic at;
    /// Bytes written but not acknowledged, the unsent ones included: SIOCOUTQ.
    std::size_t outstanding = 0;
    std::size_t unsent = 0;    ///< those the kernel has not sent yet: tcpi_notsent_bytes
    Microseconds rtt{0};       ///< smoothed by the kernel, our own queue included: tcpi_rtt; 0: unknown
    Microseconds leastRtt{0};  ///< the shortest single one in five minutes: tcpi_min_rtt; 0: unknown
    Microseconds receiverLimited{0};  ///< so long in all the peer's window was the limit: tcpi_rwnd_limited
    std::uint64_t acked = 0;          ///< bytes acknowledged since the connection began: tcpi_bytes_acked
    std::uint64_t received = 0;       ///< bytes the peer ever sent, frames of every kind: tcpi_bytes_received
    /// How long ago the last acknowledgement came, by the kernel's ticks of 1 to 10 ms: tcpi_last_ack_recv.
    Microseconds sinceAck{0};
    bool held = false;  ///< since the last sample something always waited for room; the caller knows

    /// Bytes since the connection began, both ways together: what the kernel was given, what came in.
    [[nodiscard]] std::uint64_t carried() const { return acked + outstanding + received; }
};

/// What the kernel says of a connected TCP socket now; never blocks. Nothing: it is none, or has failed.
std::optional<LinkSample> readLink(int socket, Monotonic now);
/// SIOCOUTQ alone, a cheaper look at `outstanding`. 0 when the socket has failed.
std::size_t readOutstanding(int socket);

/// Not thread-safe.
///
/// The rate is what was acknowledged over a quarter of a second (or a round trip, if that is longer) through
/// which something always waited for room; of those, the highest in two seconds. Other intervals show only
/// that the link carries at least so much. Not tcpi_delivery_rate: behind a token bucket that tells of the
/// burst which passed at once, many times what goes on.
///
/// After a pause the allowance could enter at once, and stand before the link as one long queue. So no more
/// than 80 ms of it is let in faster than the link is thought to carry it away (and a quarter more, to find
/// out when it carries more).
///
/// The round trip without queueing is the kernel's shortest one. That is of the last five minutes, and a path
/// may get longer; with too small an allowance the rate, then the allowance, would sink further and further.
/// So when something waits and for ten seconds no round trip came near it, the meter probes, as BBR's
/// ProbeRTT does: it lets what is under way drain, and times the first acknowledgement of what is written
/// then.
class LinkMeter {
  public:
    static constexpr Microseconds kQueue = std::chrono::milliseconds(80);
    static constexpr Microseconds kPart = std::chrono::milliseconds(50);
    /// What an urgent question and its answer should take, the round trip and one part's wait included. Both
    /// of the above shrink for it where the round trip is long, but not to less than this share.
    static constexpr Microseconds kAnswerWithin = std::chrono::milliseconds(180);
    static constexpr double kLeastShare = 0.6;
    static constexpr std::size_t kLeastPart = 2 << 10;
    static constexpr std::size_t kMostPart = 64 << 10;
    static constexpr Microseconds kRateInterval = std::chrono::milliseconds(250);
    static constexpr Microseconds kRateWindow = std::chrono::seconds(2);
    static constexpr Microseconds kRttWindow = std::chrono::seconds(10);
    /// What was learnt of the link's limit holds so long without being seen again.
    static constexpr Microseconds kMemory = std::chrono::seconds(30);
    /// While the limit is not known: about TCP's first flight (RFC 6928), in bytes.
    static constexpr std::size_t kFirstAllowance = 16 << 10;
    static constexpr std::size_t kFirstPart = 8 << 10;

    /// `leastAllowance`: bytes; a floor that costs `leastAllowance / rate` of waiting on a thin link.
    explicit LinkMeter(std::size_t leastAllowance = 4 << 10) : leastAllowance_(leastAllowance) {}

    /// Before writing, and while waiting for room; more often is more exact. `at` never goes back.
    void add(const LinkSample& sample);
    /// So many bytes were just handed to the socket.
    void wrote(std::size_t bytes, Monotonic now);

    /// Whether video may be handed to the socket while `outstanding` bytes are under way. An urgent message
    /// then waits 80 ms and one part of 50 at most; over a round trip of 100 ms, 49 and 31.
    [[nodiscard]] bool hasRoom(std::size_t outstanding, Monotonic now) const;
    /// When to ask again; 0 when nothing is known.
    [[nodiscard]] Microseconds timeToRoom(std::size_t outstanding, Monotonic now) const;

    /// Bytes that may be under way: rate x (minimum round trip + 80 ms or less). Never below the floor, but 0
    /// while a probe drains.
    [[nodiscard]] std::size_t videoAllowance() const;
    /// What the link carries in about 50 ms or less, 2 to 64 KB.
    [[nodiscard]] std::size_t partBytes() const;
    /// How long until `bytes` less are under way; 0 when nothing is known.
    [[nodiscard]] Microseconds timeToDrain(std::size_t bytes) const;

    /// Bytes a second, at least; nothing before the first interval.
    [[nodiscard]] std::optional<double> rate() const;
    /// Whether rate() is what the link carries, not only what it was asked to.
    [[nodiscard]] bool limitKnown() const { return limitSeenAt_.has_value(); }
    [[nodiscard]] std::optional<Microseconds> minimumRtt() const { return minimumRtt_; }
    [[nodiscard]] bool probing() const { return probe_ != Probe::none; }

  private:
    enum class Probe { none, draining, listening };
    struct Rate {
        double bytesPerSecond = 0;
        Monotonic at;
    };

    [[nodiscard]] double queuedAt(Monotonic now) const;
    [[nodiscard]] double bytesIn(Microseconds share) const;
    void followRate(const LinkSample& sample);
    void enterRate(Rate rate, bool limited);
    void followRtt(const LinkSample& sample);
    void followProbe(const LinkSample& sample);
    void endProbe(Microseconds measured, Monotonic now);

    const std::size_t leastAllowance_;

    std::optional<LinkSample> intervalStart_;
    bool heldThroughout_ = true;  ///< at every sample since
    std::deque<Rate>
        rates_;  ///< the highest, and those that are the highest after it, in the order they came
    std::optional<Monotonic> limitSeenAt_;

    double queued_ = 0;  ///< bytes that should still stand before the link
    Monotonic queuedSince_;

    std::optional<Microseconds> minimumRtt_;
    std::optional<Microseconds> kernelsLeast_;
    Monotonic confirmedAt_;  ///< when a round trip near it was last seen

    Probe probe_ = Probe::none;
    Monotonic probeBegan_;
    Microseconds leastWhileProbing_{0};
    std::uint64_t ackedWhenDrained_ = 0;
    std::optional<Monotonic> listensSince_;  ///< when something was written after that
};

}  // namespace edgecam::uplink
