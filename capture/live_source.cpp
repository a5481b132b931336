#include "capture/live_source.hpp"

#include <algorithm>
#include <cmath>
#include <utility>

namespace edgecam::capture {
namespace {

/// A device that was closed and is still not free by then hangs.
constexpr Microseconds kLetGoWithin = std::chrono::seconds(3);
constexpr Microseconds kCheckInterval = std::chrono::seconds(1);
/// A picture that stands still, or is black, is so for seconds.
constexpr double kExaminedPerSecond = 5;

}  // namespace

LiveSource::LiveSource(const SourceUri& uri, RenditionKind kind, PictureLimits limits,
                       std::shared_ptr<CameraCount> count, bool enabled, const Clock& clock,
                       Callbacks callbacks)
    : uri_(uri),
      device_(uri.kind == SourceKind::v4l2 ? std::make_shared<KnownDevice>(uri) : nullptr),
      clock_(clock),
      callbacks_(std::move(callbacks)),
      timeline_(clock, std::move(count)),
      supervisor_(clock, enabled),
      health_(limits),
      passthrough_(kind, clock,
                   [this](const Chunk& chunk, const std::shared_ptr<const Coding>& coding) {
                       callbacks_.chunk(chunk);
                       decoder_.feed(chunk, coding);
                   }),
      decoder_(passthrough_, timeline_, clock, [this](const Picture& picture, const PictureStamp& stamp) {
          examine(picture, stamp.mediaTime);
          callbacks_.picture(picture, stamp, rate_);
      }) {
    facts_.codec = expectedCodec(uri);
    healthGate_.limit(kExaminedPerSecond);
}

void LiveSource::supervise() {
    if (source_) supervisor_.sawPicture(Monotonic(Microseconds(lastPicture_)), certainRate_);
    heedTrouble();
    for (auto order = supervisor_.next(); order != Supervisor::Order::none; order = supervisor_.next()) {
        if (order == Supervisor::Order::close) {
            close();
        } else {
            openWanted_ = clock_.monotonic();
        }
        openWhenFree();
    }
    openWhenFree();
}

void LiveSource::heedTrouble() {
    const Monotonic now = clock_.monotonic();
    if (source_ && now - checkedAt_ >= kCheckInterval) {
        checkedAt_ = now;
        source_->check();
    }
    const std::string input = source_ && device_ ? device_->inputTrouble() : std::string();
    const std::lock_guard lock(healthMutex_);
    supervisor_.impaired(input.empty() ? health_.reason() : input, !input.empty());
    // Without a signal a device shows what it likes, and no opening helps.
    if (!input.empty() || !health_.wantsRestart() || !isDelivering(supervisor_.state())) return;
    supervisor_.failed({SourceFailure::Kind::ordinary, health_.reason()});
    health_.restarted();
}

void LiveSource::deviceAppeared() {
    if (device_) supervisor_.hurry();
}

void LiveSource::decode(Decoding wanted) {
    const auto faulty = [this] {
        const std::lock_guard lock(healthMutex_);
        return health_.fault() != PictureHealth::Fault::none;
    };
    decoder_.run(source_ == nullptr ? Decoding::none : faulty() ? Decoding::all : wanted);
}

/// A device is opened again when it has been let go of, which a hung driver may never do: then nothing is
/// piled up on it.
void LiveSource::openWhenFree() {
    if (!openWanted_) return;
    if (hold_.expired()) {
        openWanted_.reset();
        open();
    } else if (clock_.monotonic() - *openWanted_ > kLetGoWithin) {
        supervisor_.failed({SourceFailure::Kind::ordinary,
                            "the device hangs: since it was closed it has not been let go of"});
    }
}

void LiveSource::open() {
    timeline_.beginGeneration();
    certainRate_ = 0;
    Source::Callbacks callbacks;
    callbacks.coded = [this](const AccessUnit& unit, const auto& coding, const SourceTime& time) {
        takeCoded(unit, coding, time);
    };
    callbacks.raw = [this](Picture picture, double frameRate, const SourceTime& time) {
        takeRaw(std::move(picture), frameRate, time);
    };
    callbacks.failed = [this](const SourceFailure& failure) {
        supervisor_.failed(failure);
        callbacks_.changed();
    };
    auto hold = std::make_shared<int>();
    hold_ = hold;
    auto opened =
        Source::open(uri_, clock_, std::move(callbacks), {.hold = std::move(hold), .device = device_});
    if (opened) {
        source_ = std::move(*opened);
    } else {
        supervisor_.failed({SourceFailure::Kind::ordinary, opened.error().message});
    }
}

void LiveSource::close() {
    openWanted_.reset();
    source_.reset();
    {
        const std::lock_guard lock(factsMutex_);
        keys_.breakOff();
    }
    {
        const std::lock_guard lock(healthMutex_);
        health_.brokeOff();
        healthGate_.limit(kExaminedPerSecond);
    }
    passthrough_.breakOff();
    callbacks_.brokeOff();
}

SourceFacts LiveSource::facts() const {
    const std::lock_guard lock(factsMutex_);
    return facts_;
}

int LiveSource::kbps() const {
    const std::lock_guard lock(factsMutex_);
    return facts_.codec ? coded_.kbps(clock_.monotonic()) : 0;
}

std::optional<Microseconds> LiveSource::keysTooFarApart() const {
    const std::lock_guard lock(factsMutex_);
    return facts_.codec ? keys_.tooLong() : std::nullopt;
}

bool LiveSource::keyFramesSuffice() const {
    {
        const std::lock_guard lock(factsMutex_);
        if (!facts_.codec || !keys_.often()) return false;
    }
    return passthrough_.keepsGroups();
}

void LiveSource::takeCoded(AccessUnit unit, const std::shared_ptr<const Coding>& coding,
                           const SourceTime& time) {
    if (unit.keyFrame) ++freshPictures_;
    note(coding->track.codec, coding->track.size, coding->frameRate);
    const PictureStamp stamp = timeline_.stamp(time);
    {
        const std::lock_guard lock(factsMutex_);
        coded_.count(unit.data.size(), clock_.monotonic());
        keys_.note(stamp.mediaTime, unit.keyFrame);
    }
    const Microseconds shift = stamp.mediaTime - time.running;
    unit.pts = stamp.mediaTime;
    if (unit.dts) *unit.dts += shift;
    const double rate = rate_;
    if (rate > 0) unit.duration = Microseconds(std::llround(1e6 / rate));
    passthrough_.push(unit, coding, stamp);
}

void LiveSource::takeRaw(Picture picture, double frameRate, const SourceTime& time) {
    ++freshPictures_;
    examine(picture, time.running);  // first: with the picture it is live, and what it shows is known
    note(std::nullopt, picture.size, frameRate);
    const PictureStamp stamp = timeline_.stamp(time);
    picture.sequence = stamp.sequence;
    picture.captureTime = stamp.captureTime;
    callbacks_.picture(picture, stamp, rate_);
}

void LiveSource::examine(const Picture& picture, Microseconds time) {
    const std::lock_guard lock(healthMutex_);
    if (!health_.asked() || !healthGate_.pass(time)) return;
    health_.saw(lumaTraceOf(picture), clock_.monotonic(), freshPictures_);
}

void LiveSource::note(std::optional<Codec> codec, Size size, double frameRate) {
    ++pictures_;
    const auto before = lastPicture_.exchange(clock_.monotonic().time_since_epoch().count());
    const double told = plausibleRate(frameRate);
    const double certain = told > 0 ? told : std::min(timeline_.measuredRate(), kMostRate);
    certainRate_ = certain;
    SourceFacts now{true, codec, size, certain};
    bool changed = false;
    {
        const std::lock_guard lock(factsMutex_);
        // Until a source that was opened again has shown its rate, it most likely has the one it had before.
        if (certain <= 0) now.frameRate = facts_.frameRate;
        changed = now != facts_;
        facts_ = now;
    }
    rate_ = now.frameRate;
    if (changed || before == 0) callbacks_.changed();
}

}  // namespace edgecam::capture
