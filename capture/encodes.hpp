// Encodes: the few H.264 renditions that a camera makes itself, each with settings of its own, none of which
// costs anything while nobody is served by it. It knows no consumer, only wishes and slots.
#pragma once

#include <algorithm>
#include <memory>
#include <optional>
#include <vector>

#include "capture/encoded_rendition.hpp"
#include "capture/rendition_plan.hpp"

namespace edgecam::capture {

/// plan() and settle() are thread-bound (main); push() and breakOff() are for streaming threads.
class Encodes {
  public:
    /// `most`: how many there may be, at least 1. `emit` as a ChunkStream's.
    Encodes(std::size_t most, const EncoderSettings& first, const Clock& clock,
            const ChunkStream::Emit& emit) {
        for (std::size_t slot = 0; slot < most; ++slot) {
            encodes_.push_back(std::make_unique<EncodedRendition>(EncoderForm::h264, first, clock, emit));
        }
        inForce_.resize(most);
    }

    /// Says which of them serves each wish, and tunes them. One that nobody wishes any more keeps its aim
    /// until it is used again.
    std::vector<std::size_t> plan(const std::vector<RenditionWish>& wishes) {
        auto plan = planRenditions(wishes, inForce_);
        inForce_ = plan.slots;
        for (std::size_t slot = 0; slot < encodes_.size(); ++slot) {
            if (inForce_[slot]) encodes_[slot]->encoder().tune(*inForce_[slot]);
        }
        return std::move(plan.slotOf);
    }

    /// What the encode aims at; nothing: it is not wished for.
    [[nodiscard]] const std::optional<EncoderSettings>& aim(std::size_t slot) const { return inForce_[slot]; }
    [[nodiscard]] std::size_t size() const { return encodes_.size(); }
    EncodedRendition& at(std::size_t slot) { return *encodes_[slot]; }
    [[nodiscard]] const EncodedRendition& at(std::size_t slot) const { return *encodes_[slot]; }

    /// To those that are made of that stream.
    void push(const Picture& picture, const PictureStamp& stamp, double sourceRate, bool fromSub) {
        for (const auto& encode : encodes_) {
            if (encode->takesFromSub() == fromSub) encode->encoder().push(picture, stamp, sourceRate);
        }
    }
    /// The stream that some are made of broke off.
    void breakOff(bool sub) {
        for (const auto& encode : encodes_) {
            if (encode->takesFromSub() == sub) encode->breakOff();
        }
    }

    [[nodiscard]] bool running(bool fromSub) const {
        return std::ranges::any_of(encodes_, [&](const auto& encode) {
            return encode->takesFromSub() == fromSub && encode->encoder().running();
        });
    }

  private:
    std::vector<std::unique_ptr<EncodedRendition>> encodes_;
    std::vector<std::optional<EncoderSettings>> inForce_;
};

}  // namespace edgecam::capture
