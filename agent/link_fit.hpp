// LinkFit: which coding of a camera a link has room for: the camera's own, its smaller sub stream, or an
// encode that follows the link. Pure; knows no link and no camera.
#pragma once

#include <optional>

#include "base/clock.hpp"

namespace edgecam::agent {

/// Not thread-safe. What a camera codes itself does not follow a link. Where it is too much, what is smaller
/// takes its place at once, and gives it back when the link has long had room for it.
///
/// What a link carries shows only as far as something uses it. An encode that grows shows when there is room
/// for the camera's own coding; the sub stream would never. So where that has long had room, an encode tries
/// now and then how much more there is, the more seldom the more often in vain.
class LinkFit {
  public:
    enum class Coding { own, sub, encode };

    /// The camera's own coding comes back when the link has carried so much more than it for so long.
    static constexpr double kRoom = 1.2;
    static constexpr Microseconds kRoomFor = std::chrono::seconds(10);
    static constexpr Microseconds kTryFor = std::chrono::seconds(10);
    static constexpr Microseconds kFirstTry = std::chrono::seconds(20);
    static constexpr Microseconds kLongestWait = std::chrono::minutes(2);

    struct Load {
        int ownKbps = 0;             ///< of the camera's own coding; 0: not known
        std::optional<int> subKbps;  ///< of its sub stream; 0: not known; nothing: there is none
        bool ownWished = true;       ///< false: a quality was asked for that is less
    };

    /// What to send while the link carries `kbps`. Call it about ten times a second.
    Coding choose(const Load& load, int kbps, Monotonic now);
    /// As chosen last; at first the camera's own.
    [[nodiscard]] Coding chosen() const { return chosen_; }

  private:
    /// Whether one coding is too much.
    struct Room {
        bool tooMuch = false;
        std::optional<Monotonic> since;
        void follow(int coded, int kbps, Monotonic now);
    };

    [[nodiscard]] bool tries(const Load& load, int kbps, Monotonic now);

    Room own_, sub_;
    Coding chosen_ = Coding::own;
    Microseconds wait_ = kFirstTry;
    std::optional<Monotonic> roomySince_;  ///< the sub stream alone; of the wait for the next try
    std::optional<Monotonic> triesSince_;
};

}  // namespace edgecam::agent
