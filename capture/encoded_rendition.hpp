// EncodedRendition: a stream that this box makes itself, an Encoder and the ChunkStream it fills, running
// while somebody holds it.
#pragma once

#include <atomic>
#include <optional>

#include "capture/chunk_stream.hpp"
#include "capture/encoder.hpp"

namespace edgecam::capture {

/// settle() and tune() are thread-bound (main); push() is for streaming threads.
class EncodedRendition {
  public:
    /// Whoever leaves and comes back at once (a page reloaded) finds the encoder running.
    static constexpr Microseconds kGrace = std::chrono::milliseconds(700);

    EncodedRendition(EncoderForm form, const EncoderSettings& settings, const Clock& clock,
                     ChunkStream::Emit emit)
        : clock_(clock),
          stream_(form == EncoderForm::jpeg ? RenditionKind::jpeg : RenditionKind::encoded, clock,
                  std::move(emit)),
          encoder_(form, settings, clock,
                   [this](const AccessUnit& unit, const std::shared_ptr<const Coding>& coding,
                          const PictureStamp& stamp) { stream_.push(unit, coding, stamp); }) {}

    /// Starts or stops the encoder; call it now and then.
    void settle(bool held) {
        const Monotonic now = clock_.monotonic();
        if (held) heldAt_ = now;
        const bool wanted = heldAt_ && now - *heldAt_ <= kGrace;
        const bool stops = encoder_.running() && !wanted;
        encoder_.run(wanted);
        if (stops) stream_.rest();
    }

    /// Whether it is made of the sub stream's pictures, and not of the main one's. Thread-safe.
    void takeFromSub(bool sub) { fromSub_ = sub; }
    [[nodiscard]] bool takesFromSub() const { return fromSub_; }

    void breakOff() {
        stream_.breakOff();
        encoder_.breakOff();
    }

    ChunkStream& stream() { return stream_; }
    [[nodiscard]] const ChunkStream& stream() const { return stream_; }
    Encoder& encoder() { return encoder_; }
    [[nodiscard]] const Encoder& encoder() const { return encoder_; }

  private:
    const Clock& clock_;
    ChunkStream stream_;
    Encoder encoder_;  // behind the stream it fills, so that it ends first
    std::atomic<bool> fromSub_{false};
    std::optional<Monotonic> heldAt_;
};

}  // namespace edgecam::capture
