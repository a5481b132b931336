#include "capture/picture_health.hpp"

#include <algorithm>
#include <cmath>
#include <cstring>

#include "base/log.hpp"

namespace edgecam::capture {
namespace {

constexpr int kRowStep = 16;
/// 2^64 divided by the golden ratio, odd: multiplying by it spreads bits upwards (Knuth, TAOCP 3, 6.4).
constexpr std::uint64_t kSpread = 0x9E3779B97F4A7C15;

/// Sums over one byte of each word, beside the hash of all.
struct Sums {
    std::uint64_t hash = 0;
    std::uint64_t count = 0;
    std::uint64_t sum = 0;
    std::uint64_t squares = 0;

    void add(std::uint64_t word) {
        hash = (hash ^ word) * kSpread;
        hash ^= hash >> 32;
        const std::uint64_t luma = word & 0xff;
        ++count;
        sum += luma;
        squares += luma * luma;
    }
    void addRow(const std::uint8_t* row, std::size_t width) {
        std::uint64_t word = 0;
        std::size_t x = 0;
        for (; x + sizeof word <= width; x += sizeof word) {
            std::memcpy(&word, row + x, sizeof word);
            add(word);
        }
        if (x == width) return;
        word = 0;
        std::memcpy(&word, row + x, width - x);
        add(word);
    }
};

}  // namespace

LumaTrace lumaTraceOf(const Picture& picture) {
    Sums sums;
    const Plane& luma = picture.planes[0];
    // Not the first row: characters of a clock drawn in rows of 16 are empty there.
    for (int y = std::min(kRowStep, picture.size.height) / 2; y < picture.size.height; y += kRowStep) {
        sums.addRow(luma.data + std::ptrdiff_t{y} * luma.stride,
                    static_cast<std::size_t>(picture.size.width));
    }
    if (sums.count == 0) return {};
    const double count = static_cast<double>(sums.count);
    const double mean = static_cast<double>(sums.sum) / count;
    const double variance = static_cast<double>(sums.squares) / count - mean * mean;
    return {.hash = sums.hash, .mean = mean, .deviation = std::sqrt(std::max(0.0, variance))};
}

void PictureHealth::saw(const LumaTrace& trace, Monotonic now, std::uint64_t fresh) {
    if (hash_ != trace.hash) {
        hash_ = trace.hash;
        sameSince_ = now;
        freshBefore_ = fresh;
    }
    const bool black = trace.mean < kBlackMean && trace.deviation < kBlackDeviation;
    if (!black) {
        blackSince_.reset();
    } else if (!blackSince_) {
        blackSince_ = now;
    }
    const Fault before = fault_;
    fault_ = isBlack(now) ? Fault::black : isFrozen(now, fresh) ? Fault::frozen : Fault::none;
    if (fault_ != Fault::none) return;
    if (before != Fault::none) wellSince_ = now;
    if (now - wellSince_ >= kProven) restartSpent_ = false;
}

bool PictureHealth::isFrozen(Monotonic now, std::uint64_t fresh) const {
    return limits_.frozenAfter > Microseconds(0) && now - sameSince_ >= limits_.frozenAfter &&
           fresh - freshBefore_ >= kFreshPictures;
}

bool PictureHealth::isBlack(Monotonic now) const {
    return limits_.blackAfter > Microseconds(0) && blackSince_ && now - *blackSince_ >= limits_.blackAfter;
}

void PictureHealth::brokeOff() {
    if (fault_ != Fault::none) return;
    hash_.reset();
    blackSince_.reset();
}

std::string PictureHealth::reason() const {
    if (fault_ == Fault::none) return {};
    const bool black = fault_ == Fault::black;
    const double limit = secondsOf(black ? limits_.blackAfter : limits_.frozenAfter);
    return concat(black ? "the picture is black" : "the picture is frozen: nothing in it changed",
                  black ? ", for " : " for ", limit, " s or longer",
                  restartSpent_ ? "; opening the camera anew did not help" : "");
}

}  // namespace edgecam::capture
