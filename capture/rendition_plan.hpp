// RenditionPlan: which of a camera's few encodes serves which wish. Pure; knows no encoder.
#pragma once

#include <cstddef>
#include <optional>
#include <vector>

#include "capture/encoder_settings.hpp"

namespace edgecam::capture {

/// What one consumer wants of an encode.
struct RenditionWish {
    EncoderSettings settings;
    int rank = 0;                     ///< a higher one has its way before a lower one
    std::optional<std::size_t> slot;  ///< where it is served now
};

struct RenditionPlan {
    std::vector<std::size_t> slotOf;                    ///< of each wish, in their order
    std::vector<std::optional<EncoderSettings>> slots;  ///< what each encode aims at; nothing: it is unused
};

/// Equal wishes share an encode, different ones have one each while there are enough, and stay where they
/// are. Where there are not, those of the highest rank have their way, among equals those who have it
/// already, and then the more numerous. The others are served by the best encode that asks no more of their
/// link than they do, or if all do, by the smallest: a wish never changes what another one gets, unless by
/// its rank.
///
/// `inForce`: what each encode aims at now; its size, at least 1, is how many there may be.
RenditionPlan planRenditions(const std::vector<RenditionWish>& wishes,
                             const std::vector<std::optional<EncoderSettings>>& inForce);

}  // namespace edgecam::capture
