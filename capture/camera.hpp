// Camera: one camera and its life. Opens the source, keeps it alive, numbers its pictures, and offers them in
// two forms: coded chunks for whoever watches, and decoded pictures for whoever looks. It knows no peer, no
// message and no face. Decoding and encoding run only while somebody needs them.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.hpp"
#include "base/delays.hpp"
#include "base/link_gate.hpp"
#include "base/mailbox.hpp"
#include "base/media.hpp"
#include "base/picture.hpp"
#include "base/result.hpp"
#include "capture/encoder_settings.hpp"
#include "capture/picture_health.hpp"
#include "capture/source_uri.hpp"

namespace edgecam::capture {

class CameraCount;

enum class StreamForm { cmaf, jpeg };

/// What is decoded of coded pictures while whoever looks finds nobody to follow.
enum class IdleDecode {
    automatic,  ///< of the main stream key frames where they suffice; the sub stream is small
    full,
    keyFrames,  ///< of either stream key frames, where they suffice
};

/// What the camera's sub stream must be like to serve in place of an encode.
struct SubLimits {
    int kbps = 0;  ///< it takes no more; 0: whatever it takes
    Size size;     ///< not larger, and not far smaller; a side that is 0 is free, both: whatever it is
    bool operator==(const SubLimits&) const = default;
};

/// What a consumer wants of the coding.
struct StreamWish {
    bool encoded =
        false;  ///< never the camera's own coding, because quality was asked for, or the link is thin
    std::optional<SubLimits> sub{};  ///< nothing: never the sub stream
    EncoderSettings settings;        ///< of the encode, where it is one
    int rank = 0;                    ///< a higher one has its way before a lower one, see planRenditions()
    std::shared_ptr<LinkGate> gate;  ///< asked before each picture of an encode that serves nobody else
    bool operator==(const StreamWish&) const = default;
};

/// What a consumer can take, and wants.
struct StreamRequest {
    StreamForm form = StreamForm::cmaf;
    std::vector<std::string> codecs{"avc1"};  ///< prefixes of RFC 6381 strings: "avc1", "hvc1"
    StreamWish wish;
};

struct CameraSettings {
    std::string id;
    SourceUri source;
    std::optional<SourceUri> substream;  ///< the camera's second, smaller stream of the same pictures
    EncoderSettings encoder;
    int maxRenditions = 2;   ///< how many different encodes at a time, at least 1
    PictureLimits pictures;  ///< when they are held to be no view of anything
    bool enabled = true;
    /// Of a camera in whose place this one comes: numbers and running time go on. Null: they begin.
    std::shared_ptr<CameraCount> count{};
};

/// What a camera is busy with, for metrics. Counters only grow.
struct CameraActivity {
    bool open = false;
    bool decoding = false;
    bool subOpen = false;
    bool subDecoding = false;
    bool onlyKeyFrames = false;  ///< of what is decoded, and the same of the sub stream
    bool subOnlyKeyFrames = false;
    int encodes = 0;  ///< that run now
    bool encodingJpeg = false;
    std::uint64_t pictures = 0;  ///< at the source
    std::uint64_t decoderFailures = 0;
    std::uint64_t encoderFailures = 0;
    std::uint64_t decoderDrops = 0;
    std::uint64_t encoderDrops = 0;
    PictureDelays passthroughDelays, subDelays, encodedDelays, jpegDelays;
};

/// A camera's second, smaller stream, as it was seen last.
struct SubStreamFigures {
    Size size;             ///< empty: not known yet
    double frameRate = 0;  ///< pictures a second; 0: not known
    int kbps = 0;          ///< of its coding, over some seconds; 0: not known
};

/// One consumer's hold on a rendition: while any lease is held the rendition is produced. Thread-bound
/// (main). Must not outlive its camera.
class StreamLease {
  public:
    virtual ~StreamLease() = default;
    /// 0: the source turned out to be nothing that this consumer can take. See whenMoved().
    [[nodiscard]] virtual RenditionId rendition() const = 0;
    /// `moved` is called on the main thread after rendition() has changed: because of a wish, or because the
    /// source turned out to be coded in another way than was expected while it was down. The consumer joins
    /// the new rendition.
    virtual void whenMoved(std::function<void()> moved) = 0;
    /// Changes what was wished when the stream was opened. An encode that serves this consumer alone follows
    /// at once; else it moves, soon, once the other rendition has a key frame to begin with. Until then the
    /// one it has goes on.
    virtual void wish(const StreamWish& wish) = 0;
    /// What the encode aims at that serves this consumer, or is about to; fitted to the source. Nothing:
    /// goal() is no encode.
    [[nodiscard]] virtual std::optional<EncoderSettings> aim() const = 0;
    /// Of rendition().
    [[nodiscard]] virtual RenditionKind kind() const = 0;
    /// Of what serves this consumer, or is about to.
    [[nodiscard]] virtual RenditionKind goal() const = 0;
    /// Calls `join` once, at once, under the rendition's lock: whatever `join` puts into a queue lies before
    /// any chunk that comes later, and none is missing between. It must not block or call back into the
    /// camera.
    virtual void join(const std::function<void(const Backlog&)>& join) = 0;
    /// Asks for a key frame soon. A no-op on what is passed through: a camera gives its own. At most one a
    /// second is forced.
    virtual void requestKeyFrame() = 0;
};

/// Thread-bound (main): every method, and the `status` callback, run on the thread of the default GLib
/// context.
class Camera {
  public:
    struct Callbacks {
        /// Called on streaming threads, in order for each rendition, under its lock. Must not block.
        std::function<void(const Chunk&)> chunk;
        /// Called on the main thread after every change.
        std::function<void(const CameraStatus&)> status;
    };

    /// `clock` and `pictures` (nullptr: nobody looks) must outlive the camera. Opens nothing yet.
    static std::unique_ptr<Camera> create(CameraSettings settings, const Clock& clock,
                                          Mailbox<Picture>* pictures, Callbacks callbacks);
    virtual ~Camera() = default;  ///< stops; waits at most 1 s for its devices, a hung one is left behind

    virtual void start() = 0;
    /// Disabled: the source is closed and stays so; leases live on and wait.
    virtual void enable(bool enabled) = 0;
    /// A V4L2 device appeared: a camera that waits for one looks at once.
    virtual void deviceAppeared() = 0;
    [[nodiscard]] virtual CameraStatus status() const = 0;
    [[nodiscard]] virtual CameraActivity activity() const = 0;
    /// For CameraSettings::count of one that is to take this one's place.
    [[nodiscard]] virtual std::shared_ptr<CameraCount> count() const = 0;
    /// What the camera's own coding takes, kbit/s over the last seconds; 0: not known, or it gives raw
    /// pictures.
    [[nodiscard]] virtual int codedKbps() const = 0;
    /// Nothing: the camera has none. It is opened only while somebody needs it.
    [[nodiscard]] virtual std::optional<SubStreamFigures> substream() const = 0;

    /// Whether decoded pictures are put into the mailbox, at most `perSecond` of them: the sub stream's where
    /// there is one. 0 turns it off, and
    /// with it the decoder, when nobody else needs one.
    virtual void look(double perSecond) = 0;

    /// Key frames suffice for who looks while they come at most 2 s apart and the group behind each is kept
    /// (see GopCache). At first: full.
    virtual void idleDecode(IdleDecode idle) = 0;
    /// Whether whoever looks follows somebody, or may be about to: then it is given all pictures, the newest
    /// one at once; until 2 s after it no longer does.
    virtual void attend(bool attentive) = 0;

    /// A hold on a stream in a form the consumer can take. Fails (unsupported) only when there is none and
    /// none can be made; a camera that is down gives a lease that waits.
    virtual Result<std::unique_ptr<StreamLease>> open(const StreamRequest& request) = 0;

    /// What an encode would really aim at: within the bounds of EncoderSettings, and no more than the source
    /// has.
    [[nodiscard]] virtual EncoderSettings fitted(const EncoderSettings& wanted) const = 0;

    /// One JPEG of the next picture, full size; called back on the main thread within 5 s, or with an error.
    virtual void snapshot(std::function<void(Result<Chunk>)> done) = 0;
};

}  // namespace edgecam::capture
