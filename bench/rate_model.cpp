#include "bench/rate_model.hpp"

#include <algorithm>
#include <cmath>
#include <deque>
#include <fstream>
#include <random>

#include "uplink/lane_queue.hpp"
#include "uplink/link_meter.hpp"

namespace edgecam::bench {
namespace {

using uplink::Lane;
using uplink::LaneQueue;
using uplink::LinkMeter;
using uplink::RateDecision;
using uplink::RateSample;
using uplink::WireMessage;
using namespace std::chrono_literals;

constexpr std::size_t kSegment = 1448;
constexpr std::size_t kFirstWindow = 10 * kSegment;
constexpr Microseconds kStep = 1ms;
constexpr Microseconds kTick = 100ms;
constexpr Microseconds kLook = 10ms;
constexpr Microseconds kBetweenForcedKeys = 1s;
constexpr RenditionId kRendition = 1;

/// Sizes of frames. Follows a target with a lag; what a frame took too much, the frames of the next half
/// second give back, as an encoder with a buffer of a quarter second does.
class EncoderModel {
  public:
    EncoderModel(const CameraModel& camera, unsigned seed, int kbps)
        : camera_(camera), random_(seed), bitsPerSecond_(kbps * 1000.0) {}

    std::size_t frame(Microseconds captured, int targetKbps, bool keyFrame) {
        const double passed = secondsOf(captured - last_);
        last_ = captured;
        const double target = std::min(targetKbps, camera_.mostKbps) * 1000.0;
        bitsPerSecond_ += (target - bitsPerSecond_) * (1 - std::exp(-passed / secondsOf(camera_.lag)));
        const double mean = bitsPerSecond_ / camera_.framesPerSecond / 8;
        const double noise = std::exp(camera_.noise * normal_(random_) - camera_.noise * camera_.noise / 2);
        const double payBack = debt_ / camera_.framesPerSecond / kPayBackIn;
        const double wanted = keyFrame ? camera_.keyFactor * mean * noise : mean * noise - payBack;
        const double size = std::max({wanted, mean / 4, kLeastFrame});
        debt_ = std::clamp(debt_ + size - mean, -mean * 4, mean * 2 * camera_.keyFactor);
        return static_cast<std::size_t>(size);
    }

  private:
    static constexpr double kPayBackIn = 0.5;   // seconds
    static constexpr double kLeastFrame = 200;  // bytes
    const CameraModel camera_;
    std::mt19937 random_;
    std::normal_distribution<double> normal_;
    double bitsPerSecond_;
    double debt_ = 0;
    Microseconds last_{0};
};

struct Packet {
    std::size_t bytes = 0;
    std::int64_t mark = 0;
    Monotonic sentAt;
    Monotonic ackAt;
};

/// The kernel's part and the bottleneck.
class TcpModel {
  public:
    explicit TcpModel(Microseconds rtt) : rtt_(rtt), smoothed_(rtt), least_(rtt) {}

    void write(std::size_t bytes, std::int64_t mark) {
        while (bytes > 0) {
            const std::size_t size = std::min(bytes, kSegment);
            bytes -= size;
            unsent_.push_back({size, bytes == 0 ? mark : 0, {}, {}});
            unsentBytes_ += size;
        }
    }

    /// One millisecond. `arrived(mark, when)` for each message that came whole.
    template <class Arrived>
    void step(Monotonic now, double capacity, const Arrived& arrived) {
        acknowledge(now);
        send(now);
        credit_ = queue_.empty() ? 0 : credit_ + capacity;
        while (!queue_.empty() && credit_ >= static_cast<double>(queue_.front().bytes)) {
            Packet packet = queue_.front();
            queue_.pop_front();
            credit_ -= static_cast<double>(packet.bytes);
            packet.ackAt = now + rtt_;
            if (packet.mark != 0) arrived(packet.mark, now + rtt_ / 2);
            behind_.push_back(packet);
        }
    }

    [[nodiscard]] std::size_t outstanding() const { return unsentBytes_ + flying_; }
    [[nodiscard]] std::size_t unsent() const { return unsentBytes_; }
    [[nodiscard]] std::uint64_t acked() const { return acked_; }
    [[nodiscard]] Microseconds smoothedRtt() const { return smoothed_; }
    [[nodiscard]] Microseconds leastRtt() const { return least_; }

  private:
    void acknowledge(Monotonic now) {
        const bool limited = unsentBytes_ > 0;
        while (!behind_.empty() && behind_.front().ackAt <= now) {
            const Packet& packet = behind_.front();
            flying_ -= packet.bytes;
            acked_ += packet.bytes;
            if (limited) window_ += packet.bytes;
            const Microseconds measured = now - packet.sentAt;
            smoothed_ += (measured - smoothed_) / 8;
            least_ = std::min(least_, measured);
            behind_.pop_front();
        }
    }
    void send(Monotonic now) {
        if (flying_ == 0 && now - lastSent_ > std::max<Microseconds>(200ms, 2 * smoothed_))
            window_ = kFirstWindow;
        while (!unsent_.empty() && flying_ + unsent_.front().bytes <= window_) {
            Packet packet = unsent_.front();
            unsent_.pop_front();
            unsentBytes_ -= packet.bytes;
            flying_ += packet.bytes;
            packet.sentAt = lastSent_ = now;
            queue_.push_back(packet);
        }
    }

    const Microseconds rtt_;
    Microseconds smoothed_;
    Microseconds least_;
    std::deque<Packet> unsent_;
    std::deque<Packet> queue_;   ///< before the bottleneck
    std::deque<Packet> behind_;  ///< past it, not acknowledged
    std::size_t unsentBytes_ = 0;
    std::size_t flying_ = 0;  ///< sent, not acknowledged
    std::size_t window_ = kFirstWindow;
    std::uint64_t acked_ = 0;
    double credit_ = 0;
    Monotonic lastSent_;
};

class Simulation {
  public:
    Simulation(const Trial& trial, RateRule& rule)
        : trial_(trial), rule_(rule), encoder_(trial.camera, trial.seed, kFirstKbps), tcp_(trial.rtt) {}

    Outcome run() {
        for (const double capacity : trial_.link.bytes) {
            tcp_.step(now(), capacity, [this](std::int64_t mark, Monotonic at) { show(mark, at - kBegin); });
            if (time_ >= nextLook_) look();
            if (time_ >= nextTick_) tick();
            if (time_ >= nextFrame_) capture();
            while (!coded_.empty() && coded_.front().readyAt <= time_) push();
            serve();
            time_ += kStep;
        }
        return std::move(outcome_);
    }

  private:
    static constexpr int kFirstKbps = 500;
    static constexpr Monotonic kBegin{1s};
    struct Coded {
        std::size_t frame;
        Microseconds readyAt;
    };

    [[nodiscard]] Monotonic now() const { return kBegin + time_; }
    [[nodiscard]] std::size_t queued() const {
        std::size_t coded = 0;
        for (const Coded& each : coded_) coded += outcome_.frames[each.frame].bytes;
        return coded + lanes_.bytes(Lane::video) + tcp_.outstanding();
    }

    void capture() {
        const auto number = static_cast<double>(outcome_.frames.size() + 1);
        nextFrame_ = Microseconds(std::llround(number / trial_.camera.framesPerSecond * 1e6));
        FrameFate frame{.captured = time_};
        if (rule_.takesPicture(now(), queuedSeen_)) encode(frame);
        outcome_.frames.push_back(frame);
        if (frame.bytes > 0) {
            coded_.push_back({outcome_.frames.size() - 1, time_ + trial_.camera.encodeTime});
        }
    }

    void encode(FrameFate& frame) {
        const bool forced = keyWanted_ && time_ >= lastForced_ + kBetweenForcedKeys;
        frame.keyFrame = forced || outcome_.keyFrames == 0 || time_ >= lastKey_ + trial_.camera.keyEvery;
        if (forced) lastForced_ = time_;
        if (frame.keyFrame) {
            lastKey_ = time_;
            keyWanted_ = false;
            ++outcome_.keyFrames;
        }
        frame.bytes = encoder_.frame(time_, kbps_, frame.keyFrame);
    }

    void push() {
        const std::size_t index = coded_.front().frame;
        coded_.pop_front();
        const FrameFate& frame = outcome_.frames[index];
        std::vector<WireMessage> parts;
        for (std::size_t left = frame.bytes; left > 0;) {
            const std::size_t size = std::min(left, std::min(meter_.partBytes(), blank_.size()));
            left -= size;
            const auto mark = left == 0 ? static_cast<std::int64_t>(index + 1) : 0;
            parts.push_back(WireMessage::binary({}, ByteView(blank_).first(size), mark));
        }
        Chunk chunk;
        chunk.rendition = kRendition;
        chunk.keyFrame = frame.keyFrame;
        chunk.sequence = static_cast<std::uint32_t>(index + 1);
        lanes_.pushVideo(chunk, parts, kBegin + frame.captured);
        cut();
    }

    void cut() {
        lanes_.cut(now());
        if (lanes_.awaitsKeyFrame(kRendition)) wantKey();
    }
    void wantKey() { keyWanted_ = true; }

    // As PeerConnection does, which looks when it writes, and every 2 to 20 ms while something waits.
    void serve() {
        if (lanes_.empty()) {
            held_ = false;
            emptied_ = true;
            return;
        }
        while (meter_.hasRoom(tcp_.outstanding(), now())) {
            const auto message = lanes_.pop();
            if (!message) break;
            tcp_.write(message->size(), message->mark());
            meter_.wrote(message->size(), now());
        }
    }

    void look() {
        nextLook_ = time_ + kLook;
        const bool holds = !lanes_.empty();
        meter_.add({.at = now(),
                    .outstanding = tcp_.outstanding(),
                    .unsent = tcp_.unsent(),
                    .rtt = tcp_.smoothedRtt(),
                    .leastRtt = tcp_.leastRtt(),
                    .acked = tcp_.acked(),
                    .held = held_ && holds});
        held_ = holds;
        queuedSeen_ = queued();
    }

    void tick() {
        nextTick_ = time_ + kTick;
        const auto video = lanes_.use(Lane::video, now());
        const Microseconds least = meter_.minimumRtt().value_or(tcp_.smoothedRtt());
        const RateDecision decision =
            rule_.tick({.at = now(),
                        .sojourn = video.age,
                        .waiting = video.bytes,
                        .unsent = tcp_.unsent(),
                        .outstanding = tcp_.outstanding(),
                        .leastRtt = least,
                        .queueDelay = std::max<Microseconds>(0us, tcp_.smoothedRtt() - least),
                        .acked = tcp_.acked(),
                        .appLimited = std::exchange(emptied_, lanes_.empty())});
        kbps_ = decision.kbps;
        outcome_.moments.push_back({time_, decision.kbps, decision.state});
        if (decision.flush) {
            lanes_.dropRendition(kRendition);
            wantKey();
        }
        cut();
    }

    void show(std::int64_t mark, Microseconds at) {
        const auto index = static_cast<std::size_t>(mark - 1);
        FrameFate& frame = outcome_.frames[index];
        std::size_t before = index;
        while (before > 0 && outcome_.frames[before - 1].bytes == 0) --before;
        const bool follows = before > 0 && outcome_.frames[before - 1].shown.has_value();
        if (!frame.keyFrame && !follows) {
            ++outcome_.undecodable;
        } else {
            frame.shown = at;
        }
    }

    const Trial& trial_;
    RateRule& rule_;
    EncoderModel encoder_;
    TcpModel tcp_;
    LinkMeter meter_;
    LaneQueue lanes_{{}};
    const ByteBuffer blank_ = ByteBuffer(LinkMeter::kMostPart);
    std::deque<Coded> coded_;
    Outcome outcome_;
    Microseconds time_{0};
    Microseconds nextLook_{0};
    Microseconds nextTick_{0};
    Microseconds nextFrame_{0};
    Microseconds lastKey_{0};
    Microseconds lastForced_{-kBetweenForcedKeys};
    bool keyWanted_ = false;
    bool held_ = false;
    bool emptied_ = true;
    std::size_t queuedSeen_ = 0;
    int kbps_ = kFirstKbps;
};

}  // namespace

double LinkProfile::usable(Span span, int mostKbps) const {
    double sum = 0;
    double second = 0;
    const double most = mostKbps * 1000.0 / 8;
    const auto end = std::min(bytes.size(), static_cast<std::size_t>(span.end / 1ms));
    for (auto i = static_cast<std::size_t>(span.begin / 1ms); i < end; ++i) {
        second += bytes[i];
        if (i % 1000 == 999 || i + 1 == end) sum += std::min(std::exchange(second, 0), most);
    }
    return sum;
}

std::vector<Span> LinkProfile::outages() const {
    constexpr std::size_t kWindow = 500;
    constexpr double kLeast = 100e3 / 8 * 0.5;
    std::vector<Span> found;
    double sum = 0;
    for (std::size_t end = 1; end <= bytes.size(); ++end) {
        sum += bytes[end - 1];
        if (end > kWindow) sum -= bytes[end - 1 - kWindow];
        if (end < kWindow || sum >= kLeast) continue;
        const Span span{std::chrono::milliseconds(end - kWindow), std::chrono::milliseconds(end)};
        if (!found.empty() && found.back().end >= span.begin) {
            found.back().end = span.end;
        } else {
            found.push_back(span);
        }
    }
    return found;
}

LinkProfile steppedLink(std::string name, const std::vector<std::pair<Microseconds, double>>& rates,
                        Microseconds length) {
    LinkProfile link{std::move(name), std::vector<double>(static_cast<std::size_t>(length / 1ms))};
    for (const auto& [from, rate] : rates) {
        std::fill(link.bytes.begin() + static_cast<std::ptrdiff_t>(from / 1ms), link.bytes.end(),
                  rate / 8 / 1000);
    }
    return link;
}

std::optional<LinkProfile> tracedLink(const std::string& path) {
    std::ifstream file(path);
    LinkProfile link{path.substr(path.rfind('/') + 1), {}};
    std::size_t time = 0;
    while (file >> time && time < 3'600'000) {
        if (link.bytes.size() <= time) link.bytes.resize(time + 1);
        link.bytes[time] += kSegment;
    }
    if (!file.eof() || link.bytes.empty()) return std::nullopt;
    return link;
}

Outcome simulate(const Trial& trial, RateRule& rule) {
    return Simulation(trial, rule).run();
}

}  // namespace edgecam::bench
