#include "capture/synthetic_scene.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>

#include "base/bytes.hpp"
#include "capture/face_sprite.hpp"
#include "capture/time_code.hpp"

namespace edgecam::capture {
namespace {

constexpr std::size_t kPeople = 3;
constexpr int kLastStandardDefinitionRow = 576;

constexpr std::array<Likeness, kPeople> kLikenesses{{
    {{0.93F, 0.74F, 0.62F},
     {0.35F, 0.21F, 0.12F},
     {0.20F, 0.42F, 0.55F},
     {0.28F, 0.45F, 0.60F},
     Hair::longOpen},
    {{0.72F, 0.50F, 0.36F},
     {0.12F, 0.09F, 0.08F},
     {0.80F, 0.52F, 0.26F},
     {0.30F, 0.19F, 0.12F},
     Hair::shortParted},
    {{0.86F, 0.65F, 0.50F}, {0.20F, 0.13F, 0.10F}, {0.42F, 0.30F, 0.48F}, {0.33F, 0.36F, 0.22F}, Hair::bun},
}};

/// How someone moves: to and fro along both axes.
struct Sway {
    double periodX, periodY;  // seconds
    double phaseX, phaseY;    // fractions of a period
};
constexpr std::array<Sway, kPeople> kSways{{{11, 7, 0.10, 0.30}, {13, 9, 0.45, 0.80}, {12, 8, 0.70, 0.05}}};

// The person on the right goes away and comes back, again and again. Seconds.
constexpr double kVisitPeriod = 20;
constexpr double kLeavesAt = 13;
constexpr double kIsGoneAt = 15;
constexpr double kReturnsAt = 17.5;
constexpr double kIsBackAt = 19.5;

double smoothStep(double share) {
    const double t = std::clamp(share, 0.0, 1.0);
    return t * t * (3 - 2 * t);
}

/// A smooth wave between -1 and 1 made of basic arithmetic only, so that it is the same on every machine.
double wave(double turns) {
    const double phase = turns - std::floor(turns);
    return 2 * smoothStep(phase < 0.5 ? 2 * phase : 2 - 2 * phase) - 1;
}

/// How far the visitor has gone: 0 is here, 1 is out of sight.
double absence(double seconds) {
    const double now = std::fmod(seconds, kVisitPeriod);
    if (now < kReturnsAt) return smoothStep((now - kLeavesAt) / (kIsGoneAt - kLeavesAt));
    return 1 - smoothStep((now - kReturnsAt) / (kIsBackAt - kReturnsAt));
}

int even(double value) {
    return static_cast<int>(std::lround(value / 2)) * 2;
}

Size sizeOfPlane(Size picture, std::size_t plane) {
    return plane == 0 ? picture : Size{picture.width / 2, picture.height / 2};
}

/// A whole picture, painted once.
struct Backdrop {
    std::array<ByteBuffer, 3> planes;

    explicit Backdrop(Size size) {
        for (std::size_t i = 0; i < 3; ++i) {
            const Size plane = sizeOfPlane(size, i);
            planes[i].resize(static_cast<std::size_t>(plane.width) * static_cast<std::size_t>(plane.height));
        }
    }

    void set(Size size, int x, int y, const Yuv& colour) {
        for (std::size_t i = 0; i < 3; ++i) {
            if (i > 0 && (x % 2 != 0 || y % 2 != 0)) break;
            const int step = i == 0 ? 1 : 2;
            const auto width = static_cast<std::size_t>(sizeOfPlane(size, i).width);
            planes[i][static_cast<std::size_t>(y / step) * width + static_cast<std::size_t>(x / step)] =
                colour[i];
        }
    }

    void copyTo(Canvas& canvas) const {
        for (std::size_t i = 0; i < 3; ++i) {
            const Size plane = sizeOfPlane(canvas.size, i);
            const auto width = static_cast<std::size_t>(plane.width);
            for (int y = 0; y < plane.height; ++y) {
                std::memcpy(canvas.planes[i] + static_cast<std::ptrdiff_t>(y) * canvas.strides[i],
                            planes[i].data() + static_cast<std::size_t>(y) * width, width);
            }
        }
    }
};

/// A quiet wall: light from the upper left, wide panels, a darker foot.
Rgb wallColour(float x, float y) {
    const float light = 0.10F * std::exp(-3 * ((x - 0.3F) * (x - 0.3F) + (y - 0.25F) * (y - 0.25F)));
    const float across = x * 8 - std::floor(x * 8);
    const float groove = y < 0.8F && (across < 0.015F || across > 0.985F) ? -0.05F : 0.0F;
    const float foot = y > 0.8F ? -0.10F : 0.0F;
    const float base = 0.70F - 0.16F * y + light + groove + foot;
    return {base * 0.93F, base * 0.99F, base * 1.02F};
}

Backdrop paintWall(Size size, bool highDefinition) {
    Backdrop wall(size);
    std::uint32_t grain = 1;
    for (int y = 0; y < size.height; ++y) {
        for (int x = 0; x < size.width; ++x) {
            grain = grain * 1664525U + 1013904223U;  // Numerical Recipes: keeps the gradients from banding
            const float dither = (static_cast<float>(grain >> 24) / 255.0F - 0.5F) / 110;
            Rgb colour = wallColour(static_cast<float>(x) / static_cast<float>(size.width),
                                    static_cast<float>(y) / static_cast<float>(size.height));
            colour = {colour.red + dither, colour.green + dither, colour.blue + dither};
            wall.set(size, x, y, yuvOf(colour, highDefinition));
        }
    }
    return wall;
}

/// 75 % colour bars, and below them a grey ramp.
Backdrop paintBars(Size size, bool highDefinition) {
    constexpr float kLevel = 0.75F;
    Backdrop bars(size);
    for (int y = 0; y < size.height; ++y) {
        for (int x = 0; x < size.width; ++x) {
            const auto bits = static_cast<unsigned>(7 - x * 7 / size.width);  // white, yellow … red, blue
            const float ramp = static_cast<float>(x) / static_cast<float>(size.width);
            const Rgb bar{(bits & 2U) != 0 ? kLevel : 0, (bits & 4U) != 0 ? kLevel : 0,
                          (bits & 1U) != 0 ? kLevel : 0};
            const bool isRamp = y >= size.height * 3 / 4;
            bars.set(size, x, y, yuvOf(isRamp ? Rgb{ramp, ramp, ramp} : bar, highDefinition));
        }
    }
    return bars;
}

/// A white block that crosses the ramp once in four seconds: bars that stand still look like a fault.
void drawRunner(Canvas& canvas, double seconds) {
    const int side = canvas.size.height / 24 * 2;
    const double share = seconds / 4 - std::floor(seconds / 4);
    const int left = even(share * (canvas.size.width - side));
    const int top = canvas.size.height * 5 / 6;
    for (int y = top; y < top + side; ++y) {
        std::fill_n(canvas.planes[0] + static_cast<std::ptrdiff_t>(y) * canvas.strides[0] + left, side,
                    std::uint8_t{235});
    }
}

/// Luma and chroma noise, different in each picture: the worst case for an encoder.
void drawNoise(Canvas& canvas, std::uint32_t number) {
    std::uint64_t state = (std::uint64_t{number} + 1) * 0x9e3779b97f4a7c15U;
    for (std::size_t i = 0; i < 3; ++i) {
        const Size plane = sizeOfPlane(canvas.size, i);
        for (int y = 0; y < plane.height; ++y) {
            std::uint8_t* row = canvas.planes[i] + static_cast<std::ptrdiff_t>(y) * canvas.strides[i];
            for (int x = 0; x < plane.width; x += 8) {
                state ^= state << 13;  // xorshift64, Marsaglia 2003
                state ^= state >> 7;
                state ^= state << 17;
                for (int k = 0; k < std::min(8, plane.width - x); ++k) {
                    const auto byte = static_cast<std::uint8_t>(state >> (8 * k));
                    row[x + k] = static_cast<std::uint8_t>(i == 0 ? 16 + byte * 7 / 8 : 96 + byte / 4);
                }
            }
        }
    }
}

void blend(std::uint8_t* to, const std::uint8_t* from, const std::uint8_t* mask, int count) {
    for (int x = 0; x < count; ++x) {
        const unsigned share = mask[x] + (mask[x] >> 7);  // 0 … 256
        to[x] = static_cast<std::uint8_t>((from[x] * share + to[x] * (256 - share)) >> 8);
    }
}

/// Draws a layer over a plane; what lies outside is cut off.
void drawLayer(const Sprite::Layer& layer, std::uint8_t* plane, int stride, Size size, int left, int top) {
    const int lastRow = std::min(layer.size.height, size.height - top);
    for (int y = std::max(0, -top); y < lastRow; ++y) {
        const std::ptrdiff_t offset = static_cast<std::ptrdiff_t>(y) * layer.size.width;
        const std::uint8_t* from = layer.pixels.data() + offset;
        const std::uint8_t* mask = layer.mask.data() + offset;
        std::uint8_t* to = plane + static_cast<std::ptrdiff_t>(top + y) * stride;
        const auto visible = [&](int x) {
            return std::clamp(x, std::max(0, -left), std::max(0, size.width - left));
        };
        const Sprite::Span& span = layer.spans[static_cast<std::size_t>(y)];
        const int begin = visible(span.begin);
        const int solidBegin = visible(span.solidBegin);
        const int solidEnd = visible(span.solidEnd);
        blend(to + left + begin, from + begin, mask + begin, solidBegin - begin);
        std::copy(from + solidBegin, from + solidEnd, to + left + solidBegin);
        blend(to + left + solidEnd, from + solidEnd, mask + solidEnd, visible(span.end) - solidEnd);
    }
}

}  // namespace

/// What is painted once: the backdrop, and the people that walk before it.
struct SyntheticScene::Sprites {
    Backdrop backdrop;
    std::vector<Sprite> people;
};

SyntheticScene::SyntheticScene(TestPattern pattern, Size size, double frameRate)
    : pattern_(pattern), size_(size), frameRate_(frameRate > 0 ? frameRate : 30) {
    const bool highDefinition = size.height > kLastStandardDefinitionRow;
    if (pattern == TestPattern::bars) {
        sprites_ = std::make_unique<Sprites>(Sprites{paintBars(size, highDefinition), {}});
    }
    if (pattern != TestPattern::faces) return;
    // A seventh of the width, so that a face is 90 pixels wide when the picture is analysed at 640x360.
    const int faceWidth = even(std::min(size.width / 6.9, size.height / 3.9));
    Sprites sprites{paintWall(size, highDefinition), {}};
    for (const Likeness& likeness : kLikenesses) {
        sprites.people.push_back(paintPerson(likeness, faceWidth, size.height * 5 / 8, highDefinition));
    }
    sprites_ = std::make_unique<Sprites>(std::move(sprites));
}

SyntheticScene::~SyntheticScene() = default;

void SyntheticScene::draw(Canvas& canvas, std::uint32_t number, std::uint64_t timeCode) const {
    if (sprites_) {
        sprites_->backdrop.copyTo(canvas);
    } else {
        drawNoise(canvas, number);
    }
    if (pattern_ == TestPattern::bars) drawRunner(canvas, secondsAt(number));
    for (std::size_t person = 0; sprites_ && person < sprites_->people.size(); ++person) {
        const Corner corner = cornerOf(person, number);
        const Sprite& sprite = sprites_->people[person];
        for (std::size_t i = 0; i < 3; ++i) {
            const int step = i == 0 ? 1 : 2;
            drawLayer(sprite.layers[i], canvas.planes[i], canvas.strides[i], sizeOfPlane(canvas.size, i),
                      corner.x / step, corner.y / step);
        }
    }
    drawTimeCode(canvas, timeCode);
}

std::vector<RectNorm> SyntheticScene::faces(std::uint32_t number) const {
    std::vector<RectNorm> boxes;
    if (!sprites_) return boxes;
    for (std::size_t person = 0; person < sprites_->people.size(); ++person) {
        const Corner corner = cornerOf(person, number);
        RectPx box = sprites_->people[person].face;
        box.x += static_cast<float>(corner.x);
        box.y += static_cast<float>(corner.y);
        const bool inside = box.x >= 0 && box.x + box.width <= static_cast<float>(size_.width);
        if (inside) boxes.push_back(normalised(box, size_));
    }
    return boxes;
}

double SyntheticScene::secondsAt(std::uint32_t number) const {
    return number / frameRate_;
}

SyntheticScene::Corner SyntheticScene::cornerOf(std::size_t person, std::uint32_t number) const {
    const double seconds = secondsAt(number);
    const Sway& sway = kSways[person];
    const double lane = size_.width / static_cast<double>(kPeople);
    double x =
        lane * (static_cast<double>(person) + 0.5) + lane * 0.11 * wave(seconds / sway.periodX + sway.phaseX);
    const double y = size_.height * (0.46 + 0.06 * wave(seconds / sway.periodY + sway.phaseY));
    if (person == kPeople - 1) x += absence(seconds) * lane;
    const Sprite& sprite = sprites_->people[person];
    return {even(x - sprite.centreX), even(y - sprite.centreY)};
}

}  // namespace edgecam::capture
