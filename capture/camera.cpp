#include "capture/camera.hpp"

#include <tuple>
#include <utility>

#include "base/log.hpp"
#include "capture/encoded_rendition.hpp"
#include "capture/encodes.hpp"
#include "capture/live_pipeline.hpp"
#include "capture/live_source.hpp"
#include "capture/look.hpp"
#include "capture/main_context.hpp"
#include "capture/placement.hpp"
#include "capture/seating.hpp"
#include "capture/snapshots.hpp"
#include "capture/sub_source.hpp"

namespace edgecam::capture {
namespace {

constexpr std::chrono::milliseconds kSettleInterval{100};
/// Whoever is found in one picture and not in the next is most likely found in another one soon.
constexpr Microseconds kStaysAttentive = std::chrono::seconds(2);
constexpr EncoderSettings kJpegSettings{2000, {1280, 0}, 10};

/// The last thing to go of a camera: lets its pipelines end in good order, in bounded time.
struct Farewell {
    static constexpr Microseconds kLimit = std::chrono::seconds(1);
    ~Farewell() { LivePipeline::awaitEnds(kLimit); }
};

/// Level-triggered: settle() compares what is with what is wanted and acts; the timer, events from other
/// threads and every command lead there.
class LiveCamera final : public Camera {
  public:
    LiveCamera(CameraSettings settings, const Clock& clock, Mailbox<Picture>* pictures, Callbacks callbacks);
    ~LiveCamera() override = default;
    LiveCamera(const LiveCamera&) = delete;
    LiveCamera& operator=(const LiveCamera&) = delete;

    void start() override;
    void enable(bool enabled) override;
    void deviceAppeared() override;
    [[nodiscard]] CameraStatus status() const override;
    [[nodiscard]] CameraActivity activity() const override;
    [[nodiscard]] std::shared_ptr<CameraCount> count() const override { return count_; }
    [[nodiscard]] int codedKbps() const override { return main_.kbps(); }
    [[nodiscard]] std::optional<SubStreamFigures> substream() const override;
    void look(double perSecond) override;
    void idleDecode(IdleDecode idle) override;
    void attend(bool attentive) override;
    Result<std::unique_ptr<StreamLease>> open(const StreamRequest& request) override;
    [[nodiscard]] EncoderSettings fitted(const EncoderSettings& wanted) const override;
    void snapshot(std::function<void(Result<Chunk>)> done) override;

  private:
    void settle();
    /// Of which stream pictures are taken; which of the sub stream's are needed. Only where there is one.
    Decoding choosePictures();
    /// Which pictures whoever looks needs, where it looks at that stream.
    [[nodiscard]] Decoding lookedAt(bool fromSub) const;
    void decode(Decoding ofSub);
    [[nodiscard]] std::string warning() const;
    void tellStatus();
    [[nodiscard]] CameraFacts facts() const;
    [[nodiscard]] LiveSource::Callbacks flowOf(bool fromSub);
    /// A chunk of a rendition that somebody may have waited for. On streaming threads.
    void emit(const Chunk& chunk);
    /// On streaming threads.
    void offer(const Picture& picture, const PictureStamp& stamp, double rate, bool fromSub);

    const Farewell farewell_;
    const CameraSettings settings_;
    const Callbacks callbacks_;
    const Clock& clock_;
    Look look_;
    IdleDecode idle_ = IdleDecode::full;
    bool attentive_ = false;
    std::optional<Monotonic> attentiveLast_;
    bool started_ = false;
    CameraStatus told_;

    MainSignal signal_;
    Encodes encodes_;
    EncodedRendition jpeg_;
    Snapshots snapshots_;
    // Behind what their pictures go to: the flow stops at its springs.
    const std::shared_ptr<CameraCount> count_;
    LiveSource main_;
    std::unique_ptr<SubSource> sub_;  ///< null: the camera has none
    Seating seating_;
    std::optional<MainTimer> timer_;
};

LiveCamera::LiveCamera(CameraSettings settings, const Clock& clock, Mailbox<Picture>* pictures,
                       Callbacks callbacks)
    : settings_(std::move(settings)),
      callbacks_(std::move(callbacks)),
      clock_(clock),
      look_(pictures),
      signal_([this] { settle(); }),
      encodes_(static_cast<std::size_t>(settings_.maxRenditions), settings_.encoder, clock,
               [this](const Chunk& chunk, const auto&) { emit(chunk); }),
      jpeg_(EncoderForm::jpeg, kJpegSettings, clock,
            [this](const Chunk& chunk, const auto&) {
                if (callbacks_.chunk) callbacks_.chunk(chunk);
            }),
      snapshots_(clock, [this] { signal_.notify(); }),
      count_(settings_.count ? settings_.count : std::make_shared<CameraCount>()),
      main_(settings_.source, RenditionKind::passthrough, settings_.pictures, count_, settings_.enabled,
            clock, flowOf(false)),
      sub_(settings_.substream
               ? std::make_unique<SubSource>(settings_.id, *settings_.substream, settings_.pictures, count_,
                                             settings_.enabled, clock, flowOf(true))
               : nullptr),
      seating_({.passthrough = main_.stream(),
                .sub = sub_ ? &sub_->source().stream() : nullptr,
                .encodes = encodes_,
                .jpeg = jpeg_},
               clock,
               {.facts = [this] { return facts(); },
                .changed = [this] { settle(); },
                .left = [this] { signal_.notify(); }}) {
    told_ = status();
}

LiveSource::Callbacks LiveCamera::flowOf(bool fromSub) {
    return {.chunk = [this](const Chunk& chunk) { emit(chunk); },
            .picture = [this, fromSub](const Picture& picture, const PictureStamp& stamp,
                                       double rate) { offer(picture, stamp, rate, fromSub); },
            .brokeOff =
                [this, fromSub] {
                    encodes_.breakOff(fromSub);
                    if (!fromSub) jpeg_.breakOff();
                },
            .changed = [this] { signal_.notify(); }};
}

void LiveCamera::start() {
    started_ = true;
    timer_.emplace(kSettleInterval, [this] { settle(); });
    settle();
}

void LiveCamera::enable(bool enabled) {
    main_.enable(enabled);
    if (sub_) sub_->enable(enabled);
    settle();
}

void LiveCamera::deviceAppeared() {
    main_.deviceAppeared();
    settle();
}

CameraStatus LiveCamera::status() const {
    const SourceFacts known = main_.facts();
    CameraStatus status;
    status.cameraId = settings_.id;
    status.state = main_.supervisor().state();
    status.reason = main_.supervisor().reason();
    if (isDelivering(status.state)) status.warning = warning();
    status.size = known.size;
    status.frameRate = known.frameRate;
    status.restarts = main_.supervisor().restarts();
    return status;
}

std::string LiveCamera::warning() const {
    if (auto other = main_.deviceWarning(); !other.empty()) return other;
    if (const auto apart = main_.keysTooFarApart()) {
        return concat(
            "its key frames are up to ", std::chrono::ceil<std::chrono::seconds>(*apart).count(),
            " s apart: who joins or lost a picture waits so long; set its key frame (I-frame) interval to "
            "1 or 2 s");
    }
    if (sub_ && sub_->source().supervisor().state() == CameraState::degraded)
        return "its sub stream: " + sub_->source().supervisor().reason();
    const CameraFacts known = facts();
    if (sameView(known)) return {};
    const auto text = [](Size size) { return concat(size.width, "x", size.height); };
    return concat("its sub stream is not used: pictures of ", text(known.sub.facts.size),
                  " have another shape than the main stream's of ", text(known.main.size),
                  "; set both to the same shape in the camera");
}

CameraActivity LiveCamera::activity() const {
    CameraActivity activity;
    activity.open = main_.isOpen();
    activity.decoding = main_.decoder().running();
    activity.encodingJpeg = jpeg_.encoder().running();
    activity.onlyKeyFrames = main_.decoder().decoding() == Decoding::keyFrames;
    activity.pictures = main_.pictures();
    activity.decoderFailures = main_.decoder().failures();
    activity.encoderFailures = jpeg_.encoder().failures();
    activity.decoderDrops = main_.decoder().dropped();
    activity.encoderDrops = jpeg_.encoder().dropped();
    for (std::size_t slot = 0; slot < encodes_.size(); ++slot) {
        const Encoder& encoder = encodes_.at(slot).encoder();
        if (encoder.running()) ++activity.encodes;
        activity.encoderFailures += encoder.failures();
        activity.encoderDrops += encoder.dropped();
        activity.encodedDelays.add(encodes_.at(slot).stream().delays());
    }
    activity.passthroughDelays = main_.stream().delays();
    if (sub_) {
        const LiveSource& sub = sub_->source();
        activity.subOpen = sub.isOpen();
        activity.subDecoding = sub.decoder().running();
        activity.subOnlyKeyFrames = sub.decoder().decoding() == Decoding::keyFrames;
        activity.decoderFailures += sub.decoder().failures();
        activity.decoderDrops += sub.decoder().dropped();
        activity.subDelays = sub.stream().delays();
    }
    activity.jpegDelays = jpeg_.stream().delays();
    return activity;
}

std::optional<SubStreamFigures> LiveCamera::substream() const {
    if (!sub_) return std::nullopt;
    const SubStream sub = sub_->standing();
    return SubStreamFigures{.size = sub.facts.size, .frameRate = sub.facts.frameRate, .kbps = sub.kbps};
}

CameraFacts LiveCamera::facts() const {
    return {.main = main_.facts(), .sub = sub_ ? sub_->standing() : SubStream{}};
}

void LiveCamera::look(double perSecond) {
    look_.limit(perSecond);
    settle();
}

void LiveCamera::idleDecode(IdleDecode idle) {
    idle_ = idle;
    settle();
}

void LiveCamera::attend(bool attentive) {
    if (attentive_) attentiveLast_ = clock_.monotonic();
    attentive_ = attentive;
    settle();
}

Result<std::unique_ptr<StreamLease>> LiveCamera::open(const StreamRequest& request) {
    return seating_.open(request);
}

EncoderSettings LiveCamera::fitted(const EncoderSettings& wanted) const {
    return capture::fitted(wanted, main_.facts());
}

void LiveCamera::snapshot(std::function<void(Result<Chunk>)> done) {
    snapshots_.ask(std::move(done));
    settle();
}

void LiveCamera::settle() {
    if (!started_) return;
    main_.supervise();
    const Decoding subPictures = sub_ ? choosePictures() : Decoding::none;
    if (sub_) sub_->settle(subPictures != Decoding::none || seating_.wantsSub());
    seating_.settle();
    for (std::size_t slot = 0; slot < encodes_.size(); ++slot) {
        encodes_.at(slot).encoder().setGate(seating_.gateOf({Place::encoded, slot}));
        encodes_.at(slot).settle(seating_.held({Place::encoded, slot}));
    }
    jpeg_.settle(seating_.held({Place::jpeg, 0}));
    snapshots_.settle();
    decode(subPictures);
    tellStatus();
}

void LiveCamera::decode(Decoding ofSub) {
    if (sub_) sub_->source().decode(ofSub);
    const bool all = encodes_.running(false) || jpeg_.encoder().running() || snapshots_.wanted();
    const Decoding looked = look_.takesFromSub() ? Decoding::none : lookedAt(false);
    main_.decode(all ? Decoding::all : looked);
    const LiveSource& seen = look_.takesFromSub() ? sub_->source() : main_;
    look_.onlyKeyFrames(seen.decoder().decoding() == Decoding::keyFrames);
}

Decoding LiveCamera::lookedAt(bool fromSub) const {
    if (!look_.on()) return Decoding::none;
    const bool attentive =
        attentive_ || (attentiveLast_ && clock_.monotonic() - *attentiveLast_ < kStaysAttentive);
    const bool sparing = idle_ == IdleDecode::keyFrames || (idle_ == IdleDecode::automatic && !fromSub);
    const LiveSource& source = fromSub ? sub_->source() : main_;
    return sparing && !attentive && source.keyFramesSuffice() ? Decoding::keyFrames : Decoding::all;
}

Decoding LiveCamera::choosePictures() {
    const CameraFacts known = facts();
    const Decoder& decoder = sub_->source().decoder();
    const bool usable = known.sub.atHand() && sameView(known);
    look_.takeFromSub(look_.on() && usable && (decoder.delivers() || decoder.failures() == 0));
    Decoding needed = sameView(known) ? lookedAt(true) : Decoding::none;
    for (std::size_t slot = 0; slot < encodes_.size(); ++slot) {
        const auto& aim = encodes_.aim(slot);
        const bool suffices = aim && seating_.held({Place::encoded, slot}) && subSuffices(*aim, known);
        if (suffices) needed = Decoding::all;
        // Not sooner than its pictures come: until then the main stream's go on.
        encodes_.at(slot).takeFromSub(suffices && decoder.delivers());
    }
    return needed;
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

void LiveCamera::emit(const Chunk& chunk) {
    if (callbacks_.chunk) callbacks_.chunk(chunk);
    if (chunk.keyFrame) signal_.notify();
}

void LiveCamera::offer(const Picture& picture, const PictureStamp& stamp, double rate, bool fromSub) {
    look_.offer(picture, stamp, fromSub);
    encodes_.push(picture, stamp, rate, fromSub);
    if (fromSub) return;
    jpeg_.encoder().push(picture, stamp, rate);
    snapshots_.push(picture, stamp);
}

}  // namespace

std::unique_ptr<Camera> Camera::create(CameraSettings settings, const Clock& clock,
                                       Mailbox<Picture>* pictures, Callbacks callbacks) {
    startGStreamer();
    return std::make_unique<LiveCamera>(std::move(settings), clock, pictures, std::move(callbacks));
}

}  // namespace edgecam::capture
