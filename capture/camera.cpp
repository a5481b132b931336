#include "capture/camera.hpp"

#include <algorithm>
#include <atomic>
#include <cmath>
#include <mutex>
#include <tuple>
#include <utility>

#include "base/bitrate_meter.hpp"
#include "base/log.hpp"
#include "capture/decoder.hpp"
#include "capture/encoded_rendition.hpp"
#include "capture/encodes.hpp"
#include "capture/key_interval.hpp"
#include "capture/live_pipeline.hpp"
#include "capture/look.hpp"
#include "capture/main_context.hpp"
#include "capture/placement.hpp"
#include "capture/snapshots.hpp"
#include "capture/source.hpp"
#include "capture/supervisor.hpp"
#include "capture/timeline.hpp"

namespace edgecam::capture {
namespace {

constexpr std::chrono::milliseconds kSettleInterval{100};
constexpr EncoderSettings kJpegSettings{2000, {1280, 0}, 10};

/// A group so short may be sent again at once; where none begins for so long, a longer one.
constexpr std::size_t kFewPictures = 6;
constexpr Microseconds kGroupWithin = std::chrono::seconds(5);

/// A device that was closed and is still not free by then hangs.
constexpr Microseconds kLetGoWithin = std::chrono::seconds(3);

/// The last thing to go of a camera: lets its pipelines end in good order, in bounded time.
struct Farewell {
    static constexpr Microseconds kLimit = std::chrono::seconds(1);
    ~Farewell() { LivePipeline::awaitEnds(kLimit); }
};

class LiveCamera;

/// One of the camera's renditions.
struct Seat {
    Place place = Place::none;
    std::size_t slot = 0;  ///< among the encodes
    bool operator==(const Seat&) const = default;
};

class CameraLease final : public StreamLease {
  public:
    CameraLease(LiveCamera& camera, StreamRequest request) : camera_(camera), request_(std::move(request)) {}
    ~CameraLease() override;

    [[nodiscard]] RenditionId rendition() const override;
    void join(const std::function<void(const Backlog&)>& join) override;
    void requestKeyFrame() override;
    [[nodiscard]] bool passthrough() const override { return seat_.place == Place::passthrough; }
    void whenMoved(std::function<void()> moved) override { moved_ = std::move(moved); }
    void wish(const StreamWish& wish) override;
    [[nodiscard]] std::optional<EncoderSettings> aim() const override;

    [[nodiscard]] const StreamRequest& request() const { return request_; }
    [[nodiscard]] const Seat& seat() const { return seat_; }
    /// Where it is to be: where it is, or where it goes once there is a picture.
    [[nodiscard]] const Seat& goal() const { return next_ ? *next_ : seat_; }
    void settleAt(Seat seat) {
        seat_ = seat;
        next_.reset();
    }
    void goTo(Seat seat, Monotonic now) {
        if (next_ != seat) since_ = now;
        next_ = seat;
    }
    [[nodiscard]] bool waitsFor(const Seat& seat, Microseconds span, Monotonic now) const {
        return next_ == seat && now - since_ >= span;
    }
    void tellMoved() const {
        if (moved_) moved_();
    }

  private:
    LiveCamera& camera_;
    StreamRequest request_;
    Seat seat_;
    std::optional<Seat> next_;
    Monotonic since_;  ///< when it was to go there
    std::function<void()> moved_;
};

/// Level-triggered: settle() compares what is with what is wanted and acts; the timer, events from other
/// threads and every command lead there.
class LiveCamera final : public Camera {
  public:
    LiveCamera(CameraSettings settings, const Clock& clock, Mailbox<Picture>* pictures, Callbacks callbacks);
    ~LiveCamera() override;

    void start() override;
    void enable(bool enabled) override;
    [[nodiscard]] CameraStatus status() const override;
    [[nodiscard]] CameraActivity activity() const override;
    [[nodiscard]] int codedKbps() const override;
    void look(double perSecond) override;
    Result<std::unique_ptr<StreamLease>> open(const StreamRequest& request) override;
    [[nodiscard]] EncoderSettings fitted(const EncoderSettings& wanted) const override;
    void snapshot(std::function<void(Result<Chunk>)> done) override;

    void leave(CameraLease* lease);
    ChunkStream* streamAt(const Seat& seat);
    Encodes& encodes() { return encodes_; }
    void settle();

  private:
    void superviseSource();
    void openWhenFree();
    void openSource();
    void closeSource();
    void placeLeases();
    [[nodiscard]] std::vector<Seat> seatsFor(const SourceFacts& known);
    [[nodiscard]] std::string warning() const;
    void tellStatus();
    [[nodiscard]] bool held(const Seat& seat) const;
    [[nodiscard]] std::shared_ptr<LinkGate> gateOf(const Seat& seat) const;
    [[nodiscard]] SourceFacts facts() const;

    // On streaming threads.
    void takeCoded(AccessUnit unit, const std::shared_ptr<const Coding>& coding, const SourceTime& time);
    void takeRaw(Picture picture, double frameRate, const SourceTime& time);
    void offer(const Picture& picture, const PictureStamp& stamp);
    void note(std::optional<Codec> codec, Size size, double frameRate);

    const Farewell farewell_;
    const CameraSettings settings_;
    const Clock& clock_;
    const Callbacks callbacks_;
    Look look_;
    Timeline timeline_;
    Supervisor supervisor_;
    bool started_ = false;
    CameraStatus told_;
    std::vector<CameraLease*> leases_;

    mutable std::mutex factsMutex_;
    SourceFacts facts_;
    mutable BitrateMeter coded_;          ///< under factsMutex_
    KeyInterval keys_;                    ///< of its own coding; under factsMutex_
    std::atomic<double> rate_{0};         ///< facts_.frameRate, for the path of the pictures
    std::atomic<double> certainRate_{0};  ///< told or measured since the source was opened; 0: not yet
    std::atomic<Microseconds::rep> lastPicture_{0};
    std::atomic<std::uint64_t> pictures_{0};

    MainSignal signal_;
    Encodes encodes_;
    EncodedRendition jpeg_;
    Snapshots snapshots_;
    ChunkStream passthrough_;
    Decoder decoder_;
    std::weak_ptr<void> hold_;             ///< alive until the device that was opened last is free again
    std::optional<Monotonic> openWanted_;  ///< since when a source is to be opened and is not yet
    std::unique_ptr<Source> source_;       // last: the flow stops at its spring
    std::optional<MainTimer> timer_;
};

CameraLease::~CameraLease() {
    camera_.leave(this);
}

RenditionId CameraLease::rendition() const {
    const ChunkStream* stream = camera_.streamAt(seat_);
    return stream ? stream->id() : 0;
}

void CameraLease::join(const std::function<void(const Backlog&)>& join) {
    if (const ChunkStream* stream = camera_.streamAt(seat_)) {
        stream->join([&](const Backlog& backlog, const auto&) { join(backlog); });
    } else {
        join(Backlog{});
    }
}

void CameraLease::requestKeyFrame() {
    if (seat_.place == Place::encoded) camera_.encodes().at(seat_.slot).encoder().requestKeyFrame();
}

void CameraLease::wish(const StreamWish& wish) {
    if (wish == request_.wish) return;
    request_.wish = wish;
    camera_.settle();
}

std::optional<EncoderSettings> CameraLease::aim() const {
    if (goal().place != Place::encoded) return std::nullopt;
    return camera_.fitted(camera_.encodes().aim(goal().slot).value_or(request_.wish.settings));
}

EncoderSettings bounded(EncoderSettings settings) {
    settings.bitrateKbps = std::clamp(settings.bitrateKbps, 50, 50'000);
    settings.frameRate = std::max(settings.frameRate, 0.0);
    return settings;
}

/// Whether the seat goes on giving pictures to who asked for that, although another would be better.
bool servesStill(const Seat& seat, StreamRequest request, const SourceFacts& known) {
    if (seat.place == Place::encoded) return true;
    request.wish.encoded = false;
    return seat.place == Place::passthrough && placeFor(request, known) == Place::passthrough;
}

/// Right behind a key frame; who moves because of a thin link should not be sent two seconds of pictures at
/// once.
bool mayJoin(const ChunkStream& stream, bool waitedLong) {
    const std::size_t pictures = stream.cachedPictures();
    return pictures > 0 && (pictures <= kFewPictures || waitedLong);
}

ChunkStream::Emit emitTo(const std::function<void(const Chunk&)>& chunk) {
    return [&chunk](const Chunk& made, const auto&) {
        if (chunk) chunk(made);
    };
}

LiveCamera::LiveCamera(CameraSettings settings, const Clock& clock, Mailbox<Picture>* pictures,
                       Callbacks callbacks)
    : settings_(std::move(settings)),
      clock_(clock),
      callbacks_(std::move(callbacks)),
      look_(pictures),
      timeline_(clock),
      supervisor_(clock, settings_.enabled),
      signal_([this] { settle(); }),
      encodes_(static_cast<std::size_t>(settings_.maxRenditions), settings_.encoder, clock,
               [this](const Chunk& chunk, const auto&) {
                   if (callbacks_.chunk) callbacks_.chunk(chunk);
                   if (chunk.keyFrame) signal_.notify();  // somebody may have waited for it
               }),
      jpeg_(EncoderForm::jpeg, kJpegSettings, clock, emitTo(callbacks_.chunk)),
      snapshots_(clock, [this] { signal_.notify(); }),
      passthrough_(true, clock,
                   [this](const Chunk& chunk, const std::shared_ptr<const Coding>& coding) {
                       if (callbacks_.chunk) callbacks_.chunk(chunk);
                       if (chunk.keyFrame) signal_.notify();
                       decoder_.feed(chunk, coding);
                   }),
      decoder_(passthrough_, timeline_, clock,
               [this](const Picture& picture, const PictureStamp& stamp) { offer(picture, stamp); }) {
    facts_.codec = expectedCodec(settings_.source);
    told_ = status();
}

LiveCamera::~LiveCamera() = default;

void LiveCamera::start() {
    started_ = true;
    timer_.emplace(kSettleInterval, [this] { settle(); });
    settle();
}

void LiveCamera::enable(bool enabled) {
    supervisor_.enable(enabled);
    settle();
}

CameraStatus LiveCamera::status() const {
    const SourceFacts known = facts();
    CameraStatus status;
    status.cameraId = settings_.id;
    status.state = supervisor_.state();
    status.reason = supervisor_.reason();
    if (status.state == CameraState::live) status.warning = warning();
    status.size = known.size;
    status.frameRate = known.frameRate;
    status.restarts = supervisor_.restarts();
    return status;
}

std::string LiveCamera::warning() const {
    const std::lock_guard lock(factsMutex_);
    const auto apart = facts_.codec ? keys_.tooLong() : std::nullopt;
    if (!apart) return {};
    return concat(
        "its key frames are up to ", std::chrono::ceil<std::chrono::seconds>(*apart).count(),
        " s apart: who joins or lost a picture waits so long; set its key frame (I-frame) interval to "
        "1 or 2 s");
}

CameraActivity LiveCamera::activity() const {
    CameraActivity activity;
    activity.open = source_ != nullptr;
    activity.decoding = decoder_.running();
    activity.encodingJpeg = jpeg_.encoder().running();
    activity.pictures = pictures_;
    activity.decoderFailures = decoder_.failures();
    activity.encoderFailures = jpeg_.encoder().failures();
    activity.decoderDrops = decoder_.dropped();
    activity.encoderDrops = jpeg_.encoder().dropped();
    for (std::size_t slot = 0; slot < encodes_.size(); ++slot) {
        const Encoder& encoder = encodes_.at(slot).encoder();
        if (encoder.running()) ++activity.encodes;
        activity.encoderFailures += encoder.failures();
        activity.encoderDrops += encoder.dropped();
        activity.encodedDelays.add(encodes_.at(slot).stream().delays());
    }
    activity.passthroughDelays = passthrough_.delays();
    activity.jpegDelays = jpeg_.stream().delays();
    return activity;
}

int LiveCamera::codedKbps() const {
    const std::lock_guard lock(factsMutex_);
    return facts_.codec ? coded_.kbps(clock_.monotonic()) : 0;
}

void LiveCamera::look(double perSecond) {
    look_.limit(perSecond);
    settle();
}

Result<std::unique_ptr<StreamLease>> LiveCamera::open(const StreamRequest& request) {
    const Place place = placeFor(request, facts());
    if (place == Place::none)
        return Error{"the camera has no codec in common with this consumer, and none can be made"};
    auto lease = std::make_unique<CameraLease>(*this, request);
    leases_.push_back(lease.get());
    lease->settleAt(seatsFor(facts()).back());
    settle();
    return std::unique_ptr<StreamLease>(std::move(lease));
}

void LiveCamera::leave(CameraLease* lease) {
    std::erase(leases_, lease);
    signal_.notify();
}

ChunkStream* LiveCamera::streamAt(const Seat& seat) {
    switch (seat.place) {
        case Place::passthrough:
            return &passthrough_;
        case Place::encoded:
            return &encodes_.at(seat.slot).stream();
        case Place::jpeg:
            return &jpeg_.stream();
        case Place::none:
            return nullptr;
    }
    return nullptr;
}

EncoderSettings LiveCamera::fitted(const EncoderSettings& wanted) const {
    const SourceFacts known = facts();
    EncoderSettings fitted = bounded(wanted);
    if (!known.size.empty()) fitted.size = fittedSize(known.size, wanted.size);
    if (known.frameRate > 0 && (fitted.frameRate <= 0 || fitted.frameRate > known.frameRate)) {
        fitted.frameRate = known.frameRate;
    }
    return fitted;
}

void LiveCamera::snapshot(std::function<void(Result<Chunk>)> done) {
    snapshots_.ask(std::move(done));
    settle();
}

void LiveCamera::settle() {
    if (!started_) return;
    superviseSource();
    placeLeases();
    for (std::size_t slot = 0; slot < encodes_.size(); ++slot) {
        encodes_.at(slot).encoder().setGate(gateOf({Place::encoded, slot}));
        encodes_.at(slot).settle(held({Place::encoded, slot}));
    }
    jpeg_.settle(held({Place::jpeg, 0}));
    snapshots_.settle();
    const bool picturesWanted =
        look_.on() || encodes_.running() || jpeg_.encoder().running() || snapshots_.wanted();
    decoder_.run(picturesWanted && source_ != nullptr);
    tellStatus();
}

void LiveCamera::superviseSource() {
    if (source_) supervisor_.sawPicture(Monotonic(Microseconds(lastPicture_)), certainRate_);
    for (auto order = supervisor_.next(); order != Supervisor::Order::none; order = supervisor_.next()) {
        if (order == Supervisor::Order::close) {
            closeSource();
        } else {
            openWanted_ = clock_.monotonic();
        }
        openWhenFree();
    }
    openWhenFree();
}

/// A device is opened again when it has been let go of, which a hung driver may never do: then nothing is
/// piled up on it.
void LiveCamera::openWhenFree() {
    if (!openWanted_) return;
    if (hold_.expired()) {
        openWanted_.reset();
        openSource();
    } else if (clock_.monotonic() - *openWanted_ > kLetGoWithin) {
        supervisor_.failed({SourceFailure::Kind::ordinary,
                            "the device hangs: since it was closed it has not been let go of"});
    }
}

void LiveCamera::openSource() {
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
        signal_.notify();
    };
    auto hold = std::make_shared<int>();
    hold_ = hold;
    auto opened = Source::open(settings_.source, clock_, std::move(callbacks), std::move(hold));
    if (opened) {
        source_ = std::move(*opened);
    } else {
        supervisor_.failed({SourceFailure::Kind::ordinary, opened.error().message});
    }
}

void LiveCamera::closeSource() {
    openWanted_.reset();
    source_.reset();
    {
        const std::lock_guard lock(factsMutex_);
        keys_.breakOff();
    }
    passthrough_.breakOff();
    encodes_.breakOff();
    jpeg_.breakOff();
}

void LiveCamera::placeLeases() {
    const SourceFacts known = facts();
    const std::vector<Seat> seats = seatsFor(known);
    std::vector<CameraLease*> moved;
    for (std::size_t index = 0; index < seats.size(); ++index) {
        CameraLease* lease = leases_[index];
        const Seat& seat = seats[index];
        const ChunkStream* stream = streamAt(seat);
        if (seat == lease->seat()) {
            lease->settleAt(seat);
        } else if (stream && servesStill(lease->seat(), lease->request(), known) &&
                   !mayJoin(*stream, lease->waitsFor(seat, kGroupWithin, clock_.monotonic()))) {
            lease->goTo(seat, clock_.monotonic());
        } else {
            lease->settleAt(seat);
            moved.push_back(lease);
        }
    }
    for (CameraLease* lease : moved) {
        // One that was told before may have let go of another.
        if (std::find(leases_.begin(), leases_.end(), lease) != leases_.end()) lease->tellMoved();
    }
}

/// Where each lease is to be, in their order; tunes the encodes for them.
std::vector<Seat> LiveCamera::seatsFor(const SourceFacts& known) {
    std::vector<Seat> seats;
    std::vector<RenditionWish> wishes;
    for (const CameraLease* lease : leases_) {
        const StreamRequest& request = lease->request();
        seats.push_back({placeFor(request, known), 0});
        if (seats.back().place != Place::encoded) continue;
        const Seat& now = lease->goal();
        wishes.push_back({bounded(request.wish.settings), request.wish.rank,
                          now.place == Place::encoded ? std::optional(now.slot) : std::nullopt});
    }
    const std::vector<std::size_t> slots = encodes_.plan(wishes);
    auto next = slots.begin();
    for (Seat& seat : seats) {
        if (seat.place == Place::encoded) seat.slot = *next++;
    }
    return seats;
}

void LiveCamera::tellStatus() {
    const auto essence = [](const CameraStatus& status) {
        return std::tie(status.state, status.reason, status.warning, status.size.width, status.size.height,
                        status.frameRate, status.restarts);
    };
    const CameraStatus now = status();
    if (essence(now) == essence(told_)) return;
    if (now.state != told_.state || now.reason != told_.reason) {
        logInfo("capture", settings_.id, ": ", nameOf(now.state), now.reason.empty() ? "" : ", ", now.reason);
    }
    if (!now.warning.empty() && told_.warning.empty()) logWarning("capture", settings_.id, ": ", now.warning);
    told_ = now;
    if (callbacks_.status) callbacks_.status(now);
}

bool LiveCamera::held(const Seat& seat) const {
    return std::ranges::any_of(
        leases_, [&](const CameraLease* lease) { return lease->seat() == seat || lease->goal() == seat; });
}

/// One link's, where nobody else is served there.
std::shared_ptr<LinkGate> LiveCamera::gateOf(const Seat& seat) const {
    std::shared_ptr<LinkGate> gate;
    int served = 0;
    for (const CameraLease* lease : leases_) {
        if (lease->seat() != seat && lease->goal() != seat) continue;
        gate = lease->request().wish.gate;
        ++served;
    }
    return served == 1 ? gate : nullptr;
}

SourceFacts LiveCamera::facts() const {
    const std::lock_guard lock(factsMutex_);
    return facts_;
}

void LiveCamera::takeCoded(AccessUnit unit, const std::shared_ptr<const Coding>& coding,
                           const SourceTime& time) {
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

void LiveCamera::takeRaw(Picture picture, double frameRate, const SourceTime& time) {
    note(std::nullopt, picture.size, frameRate);
    const PictureStamp stamp = timeline_.stamp(time);
    picture.sequence = stamp.sequence;
    picture.captureTime = stamp.captureTime;
    offer(picture, stamp);
}

void LiveCamera::offer(const Picture& picture, const PictureStamp& stamp) {
    look_.offer(picture, stamp);
    encodes_.push(picture, stamp, rate_);
    jpeg_.encoder().push(picture, stamp, rate_);
    snapshots_.push(picture, stamp);
}

void LiveCamera::note(std::optional<Codec> codec, Size size, double frameRate) {
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
    if (changed || before == 0) signal_.notify();
}

}  // namespace

std::unique_ptr<Camera> Camera::create(CameraSettings settings, const Clock& clock,
                                       Mailbox<Picture>* pictures, Callbacks callbacks) {
    startGStreamer();
    return std::make_unique<LiveCamera>(std::move(settings), clock, pictures, std::move(callbacks));
}

}  // namespace edgecam::capture
