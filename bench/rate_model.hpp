// What a rate controller is tried against, without clock, socket or chance that is not repeatable: a link
// with one bottleneck, a TCP connection over it, our own lane and link meter (the real ones), and an encoder
// that obeys late and unevenly. It knows no controller but by RateRule.
//
// The link carries so many payload bytes in each millisecond; what nobody used then is lost. Before it stands
// a queue that never overflows, since LinkMeter keeps it short; so no packet is lost, and the kernel's
// spurious timeouts in an outage are undone (RFC 5682), which is why the window only ever grows: from ten
// segments, by what is acknowledged while it is the limit, and again from ten after a pause longer than the
// retransmission timeout. An acknowledgement comes a round trip after its packet left the bottleneck.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/clock.hpp"
#include "uplink/rate_controller.hpp"

namespace edgecam::bench {

/// A span of the run, from its start.
struct Span {
    Microseconds begin{0};
    Microseconds end{0};
    [[nodiscard]] bool holds(Microseconds time) const { return begin <= time && time < end; }
};

struct LinkProfile {
    std::string name;
    std::vector<double> bytes;  ///< payload that each millisecond of the run may carry

    [[nodiscard]] Microseconds length() const { return std::chrono::milliseconds(bytes.size()); }
    /// Bytes from `begin` on, each second of it no more than `mostKbps`: what a camera could have used.
    [[nodiscard]] double usable(Span span, int mostKbps) const;
    /// Where for half a second or longer it carries less than 100 kbit/s, which no encoder of ours goes
    /// below.
    [[nodiscard]] std::vector<Span> outages() const;
};

/// `rates`: from when on, in bit/s.
LinkProfile steppedLink(std::string name, const std::vector<std::pair<Microseconds, double>>& rates,
                        Microseconds length);
/// Mahimahi's format: a line is the millisecond of one packet of 1500 bytes, 1448 of them payload. Nothing:
/// no such file, or not that format.
std::optional<LinkProfile> tracedLink(const std::string& path);

/// A controller under trial. `tick()` comes every 100 ms.
class RateRule {
  public:
    virtual ~RateRule() = default;
    virtual uplink::RateDecision tick(const uplink::RateSample& sample) = 0;
    /// Whether the next picture is encoded, with `queued` bytes waiting or under way, as seen up to 10 ms
    /// ago.
    virtual bool takesPicture(Monotonic /*now*/, std::size_t /*queued*/) { return true; }
};

struct CameraModel {
    double framesPerSecond = 30;
    int mostKbps = 4000;
    double keyFactor = 4;  ///< a key frame against the mean
    Microseconds keyEvery = std::chrono::seconds(2);
    Microseconds lag = std::chrono::milliseconds(250);  ///< time constant of obeying a new rate
    Microseconds encodeTime = std::chrono::milliseconds(15);
    double noise = 0.2;  ///< deviation of the logarithm of a frame's size
};

struct Trial {
    const LinkProfile& link;
    Microseconds rtt{0};
    unsigned seed = 1;
    CameraModel camera;
};

/// One captured picture. Times are from the start of the run.
struct FrameFate {
    Microseconds captured{0};
    std::optional<Microseconds> shown;  ///< when its last byte arrived
    std::size_t bytes = 0;              ///< 0: never encoded
    bool keyFrame = false;
};

struct RateMoment {
    Microseconds at{0};
    int kbps = 0;
    uplink::RateState state = uplink::RateState::start;
};

struct Outcome {
    std::vector<FrameFate> frames;
    std::vector<RateMoment> moments;  ///< one a tick
    int undecodable = 0;              ///< shown without what they build on
    int keyFrames = 0;
};

/// A rule made for one trial.
using RuleMaker = std::function<std::unique_ptr<RateRule>(const Trial&)>;

Outcome simulate(const Trial& trial, RateRule& rule);

}  // namespace edgecam::bench
