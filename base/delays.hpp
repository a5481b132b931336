// Delays: how long something took, each time it was done, as counts by upper bound: a histogram of /metrics
// before it has a name. A plain value: whoever counts owns it, others get copies. DwellTimes are the same of
// how long faces stay.
#pragma once

#include <algorithm>
#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>

#include "base/clock.hpp"

namespace edgecam {

/// From what muxing a picture takes to a hub that was away for a while.
struct DelayBounds {
    static constexpr std::array<Microseconds, 16> kBounds{
        Microseconds(100),
        Microseconds(250),
        Microseconds(500),
        std::chrono::milliseconds(1),
        Microseconds(2500),
        std::chrono::milliseconds(5),
        std::chrono::milliseconds(10),
        std::chrono::milliseconds(25),
        std::chrono::milliseconds(50),
        std::chrono::milliseconds(100),
        std::chrono::milliseconds(250),
        std::chrono::milliseconds(500),
        std::chrono::seconds(1),
        std::chrono::milliseconds(2500),
        std::chrono::seconds(10),
        std::chrono::seconds(60),
    };
};

/// From who walks by to who works there.
struct DwellBounds {
    static constexpr std::array<Microseconds, 10> kBounds{
        std::chrono::seconds(1),  std::chrono::seconds(2),  std::chrono::seconds(5), std::chrono::seconds(10),
        std::chrono::seconds(30), std::chrono::minutes(1),  std::chrono::minutes(2), std::chrono::minutes(5),
        std::chrono::minutes(15), std::chrono::minutes(60),
    };
};

template <class Bounds>
struct Durations {
    static constexpr auto kBounds = Bounds::kBounds;  ///< inclusive

    /// Of each bound those that are above the one before; the last are above all of them. Only grow.
    std::array<std::uint64_t, kBounds.size() + 1> counts{};
    Microseconds sum{0};

    /// A negative one, of clocks that were read on two threads, is none.
    void add(Microseconds delay) {
        delay = std::max(delay, Microseconds(0));
        const auto* const bound = std::ranges::lower_bound(kBounds, delay);
        ++counts[static_cast<std::size_t>(bound - kBounds.begin())];
        sum += delay;
    }
    void add(const Durations& others) {
        for (std::size_t i = 0; i < counts.size(); ++i) counts[i] += others.counts[i];
        sum += others.sum;
    }
    [[nodiscard]] std::uint64_t count() const {
        std::uint64_t total = 0;
        for (const std::uint64_t each : counts) total += each;
        return total;
    }
    bool operator==(const Durations&) const = default;
};

using Delays = Durations<DelayBounds>;
using DwellTimes = Durations<DwellBounds>;

/// Of the pictures of one rendition, before any peer has to do with them.
struct PictureDelays {
    /// From the capture, as far as the source tells when that was, until the access unit was out of the
    /// encoder, or there at all where the camera encodes.
    Delays coded;
    Delays muxed;  ///< from then until its chunk was made
    void add(const PictureDelays& others) {
        coded.add(others.coded);
        muxed.add(others.muxed);
    }
    bool operator==(const PictureDelays&) const = default;
};

}  // namespace edgecam
