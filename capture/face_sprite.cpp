#include "capture/face_sprite.hpp"

#include <algorithm>
#include <cmath>

namespace edgecam::capture {
namespace {

// The unit of all drawing is the width of the face; (0, 0) is its middle, y points down.
constexpr float kFaceHalfHeight = 0.66F;
constexpr float kHalfWidth = 0.86F;  // of the shoulders
constexpr float kAbove = 0.92F;      // to the top of the hair
constexpr float kBoxTop = -0.53F;    // hairline
constexpr float kBoxBottom = 0.65F;  // chin

constexpr Rgb kWhite{0.95F, 0.95F, 0.94F};
constexpr Rgb kDark{0.08F, 0.06F, 0.06F};
constexpr Rgb kLips{0.70F, 0.30F, 0.30F};

Rgb mixed(Rgb from, Rgb to, float share) {
    const auto mix = [share](float a, float b) { return a + (b - a) * share; };
    return {mix(from.red, to.red), mix(from.green, to.green), mix(from.blue, to.blue)};
}

Rgb scaled(Rgb colour, float factor) {
    return {colour.red * factor, colour.green * factor, colour.blue * factor};
}

struct Ellipse {
    float x, y, radiusX, radiusY;

    /// 0 in the middle, 1 on the rim.
    [[nodiscard]] float radiusAt(float atX, float atY) const {
        return std::hypot((atX - x) / radiusX, (atY - y) / radiusY);
    }
    /// Roughly the distance to the rim, positive inside.
    [[nodiscard]] float depthAt(float atX, float atY) const {
        return (1 - radiusAt(atX, atY)) * std::min(radiusX, radiusY);
    }
};

/// A line bent like a parabola, thinner towards its ends. bend > 0: the ends hang.
struct Arc {
    float x, y, halfWidth, halfThickness, bend;

    [[nodiscard]] float depthAt(float atX, float atY) const {
        const float along = (atX - x) / halfWidth;
        const float square = std::min(along * along, 1.5F);
        const float across = std::abs(atY - (y + bend * square));
        return halfThickness * (1 - 0.75F * square) - across;
    }
};

/// Paints soft-edged shapes over each other, colour and coverage.
class Painter {
  public:
    Painter(Size size, float unit, float originX, float originY)
        : size_(size),
          unit_(unit),
          originX_(originX),
          originY_(originY),
          pixels_(static_cast<std::size_t>(size.width) * static_cast<std::size_t>(size.height)) {}

    struct Pixel {
        Rgb colour;
        float mask = 0;
    };

    /// `depth(x, y)` is positive inside, `colour(x, y)` what is painted there; the edge is `blur` units wide.
    template <class Depth, class Colour>
    void paint(RectPx bounds, Depth depth, Colour colour, float opacity, float blur) {
        const float soft = std::max(blur, 1.3F / unit_);
        const int left = std::max(0, pixelOf(bounds.x - soft, originX_));
        const int right = std::min(size_.width, pixelOf(bounds.x + bounds.width + soft, originX_) + 1);
        const int top = std::max(0, pixelOf(bounds.y - soft, originY_));
        const int bottom = std::min(size_.height, pixelOf(bounds.y + bounds.height + soft, originY_) + 1);
        for (int row = top; row < bottom; ++row) {
            for (int column = left; column < right; ++column) {
                const float x = (static_cast<float>(column) + 0.5F - originX_) / unit_;
                const float y = (static_cast<float>(row) + 0.5F - originY_) / unit_;
                const float cover = opacity * std::clamp(depth(x, y) / soft + 0.5F, 0.0F, 1.0F);
                if (cover > 0) lay(column, row, colour(x, y), cover);
            }
        }
    }

    void ellipse(const Ellipse& shape, Rgb colour, float opacity = 1, float blur = 0) {
        paint(
            {shape.x - shape.radiusX, shape.y - shape.radiusY, 2 * shape.radiusX, 2 * shape.radiusY},
            [&](float x, float y) { return shape.depthAt(x, y); }, [&](float, float) { return colour; },
            opacity, blur);
    }

    void arc(const Arc& shape, Rgb colour, float opacity = 1, float blur = 0) {
        const float reach = shape.halfThickness + std::abs(shape.bend);
        paint(
            {shape.x - shape.halfWidth * 1.2F, shape.y - reach, shape.halfWidth * 2.4F, 2 * reach},
            [&](float x, float y) { return shape.depthAt(x, y); }, [&](float, float) { return colour; },
            opacity, blur);
    }

    [[nodiscard]] const Pixel& at(int x, int y) const {
        return pixels_[static_cast<std::size_t>(y) * static_cast<std::size_t>(size_.width) +
                       static_cast<std::size_t>(x)];
    }
    [[nodiscard]] Size size() const { return size_; }

  private:
    [[nodiscard]] int pixelOf(float value, float origin) const {
        return static_cast<int>(std::floor(value * unit_ + origin));
    }

    /// "Over" of Porter and Duff, colours not premultiplied.
    void lay(int x, int y, Rgb colour, float cover) {
        Pixel& pixel = pixels_[static_cast<std::size_t>(y) * static_cast<std::size_t>(size_.width) +
                               static_cast<std::size_t>(x)];
        const float mask = cover + pixel.mask * (1 - cover);
        pixel.colour = mixed(pixel.colour, colour, cover / mask);
        pixel.mask = mask;
    }

    Size size_;
    float unit_;
    float originX_;
    float originY_;
    std::vector<Pixel> pixels_;
};

/// Everything of the hair that the head hides.
void paintHairBehind(Painter& to, const Likeness& who) {
    const Rgb shade = scaled(who.hair, 0.8F);
    if (who.style == Hair::longOpen) {
        to.ellipse({0, -0.02F, 0.64F, 0.86F}, shade);
        to.ellipse({-0.44F, 0.62F, 0.20F, 0.42F}, shade);
        to.ellipse({0.44F, 0.62F, 0.20F, 0.42F}, shade);
    }
    if (who.style == Hair::bun) to.ellipse({0, -0.74F, 0.20F, 0.17F}, shade);
}

void paintBody(Painter& to, const Likeness& who, float bottom) {
    const Rgb neck = scaled(who.skin, 0.86F);
    const Ellipse shoulders{0, 1.72F, kHalfWidth - 0.01F, 0.86F};
    const auto trunk = [&](float x, float y) {
        return y < shoulders.y ? shoulders.depthAt(x, y) : shoulders.radiusX - std::abs(x);
    };
    const auto cloth = [&](float x, float y) {
        const float rim = std::abs(x) / shoulders.radiusX;
        return scaled(who.shirt, 1.06F - 0.30F * rim * rim - 0.05F * (y - 1));
    };
    to.paint({-kHalfWidth, 0.8F, 2 * kHalfWidth, bottom}, trunk, cloth, 1, 0.015F);
    to.ellipse({0, 0.90F, 0.27F, 0.17F}, scaled(who.shirt, 0.75F));
    to.ellipse({0, 0.88F, 0.24F, 0.15F}, neck);
    to.paint(
        {-0.21F, 0.4F, 0.42F, 0.5F}, [](float x, float) { return 0.21F - std::abs(x); },
        [&](float, float y) {
            return scaled(neck, 0.80F + 0.20F * std::clamp((y - 0.62F) / 0.25F, 0.0F, 1.0F));
        },
        1, 0.02F);
}

void paintHead(Painter& to, const Likeness& who) {
    for (const float side : {-1.0F, 1.0F}) {
        to.ellipse({side * 0.49F, 0.03F, 0.075F, 0.13F}, scaled(who.skin, 0.88F));
        to.ellipse({side * 0.50F, 0.03F, 0.035F, 0.07F}, scaled(who.skin, 0.72F), 0.7F, 0.03F);
    }
    const Ellipse oval{0, 0, 0.5F, kFaceHalfHeight};
    const auto narrowed = [](float x, float y) { return y > 0 ? x * (1 + 0.30F * y * y) : x; };
    const auto depth = [&](float x, float y) { return oval.depthAt(narrowed(x, y), y); };
    const auto shaded = [&](float x, float y) {
        const float rim = oval.radiusAt(narrowed(x, y), y);
        return scaled(who.skin, 1.05F - 0.26F * rim * rim * rim - 0.07F * x - 0.04F * y);
    };
    to.paint({-0.5F, -kFaceHalfHeight, 1, 2 * kFaceHalfHeight}, depth, shaded, 1, 0.01F);
    const Rgb blush = mixed(who.skin, {0.85F, 0.35F, 0.32F}, 0.5F);
    to.ellipse({-0.27F, 0.20F, 0.13F, 0.09F}, blush, 0.35F, 0.10F);
    to.ellipse({0.27F, 0.20F, 0.13F, 0.09F}, blush, 0.35F, 0.10F);
}

void paintEye(Painter& to, const Likeness& who, float x) {
    constexpr float kY = -0.07F;
    to.ellipse({x, kY - 0.01F, 0.15F, 0.09F}, scaled(who.skin, 0.62F), 0.55F, 0.09F);
    to.ellipse({x, kY - 0.012F, 0.108F, 0.060F}, kDark, 0.9F, 0.01F);
    to.ellipse({x, kY + 0.002F, 0.098F, 0.050F}, kWhite, 1, 0.01F);
    to.ellipse({x, kY, 0.048F, 0.050F}, who.iris, 1, 0.01F);
    to.ellipse({x, kY, 0.024F, 0.026F}, kDark, 1, 0.01F);
    to.ellipse({x - 0.016F, kY - 0.018F, 0.012F, 0.012F}, kWhite);
    to.arc({x, kY + 0.058F, 0.10F, 0.008F, -0.02F}, scaled(who.skin, 0.6F), 0.6F, 0.02F);
}

void paintFeatures(Painter& to, const Likeness& who) {
    const Rgb shade = scaled(who.skin, 0.62F);
    for (const float side : {-1.0F, 1.0F}) {
        paintEye(to, who, side * 0.205F);
        to.arc({side * 0.215F, -0.215F, 0.125F, 0.028F, 0.035F}, scaled(who.hair, 0.8F), 0.92F, 0.015F);
        to.ellipse({side * 0.085F, 0.165F, 0.045F, 0.035F}, shade, 0.35F, 0.05F);
        to.ellipse({side * 0.048F, 0.190F, 0.022F, 0.013F}, scaled(shade, 0.45F), 0.9F, 0.015F);
    }
    to.ellipse({0.055F, 0.04F, 0.03F, 0.13F}, shade, 0.30F, 0.06F);
    to.ellipse({-0.012F, 0.06F, 0.022F, 0.12F}, mixed(who.skin, kWhite, 0.5F), 0.35F, 0.05F);
    to.ellipse({0, 0.14F, 0.035F, 0.03F}, mixed(who.skin, kWhite, 0.5F), 0.35F, 0.05F);
    to.arc({0, 0.215F, 0.09F, 0.012F, -0.012F}, shade, 0.6F, 0.03F);

    to.arc({0, 0.40F, 0.20F, 0.052F, -0.062F}, mixed(who.skin, kLips, 0.75F), 1, 0.012F);
    to.arc({0, 0.392F, 0.165F, 0.022F, -0.050F}, kWhite, 0.95F, 0.01F);
    to.arc({0, 0.362F, 0.19F, 0.010F, -0.040F}, scaled(kLips, 0.6F), 0.6F, 0.012F);
    to.arc({0, 0.475F, 0.10F, 0.012F, -0.01F}, shade, 0.35F, 0.04F);
}

/// The hair in front: a cap with a window for the face.
void paintHairInFront(Painter& to, const Likeness& who) {
    const bool parted = who.style == Hair::shortParted;
    const Ellipse cap{0, -0.14F, 0.555F, who.style == Hair::longOpen ? 0.68F : 0.62F};
    const Ellipse window{parted ? 0.03F : 0.0F, 0.12F, parted ? 0.465F : 0.455F, 0.60F};
    const float end = who.style == Hair::longOpen ? 0.45F : 0.02F;
    const auto depth = [&](float x, float y) {
        return std::min({cap.depthAt(x, y), -window.depthAt(x, y), end - y});
    };
    const auto shaded = [&](float x, float y) {
        const float shine = std::exp(-40 * (y + 0.58F) * (y + 0.58F) - 5 * (x + 0.15F) * (x + 0.15F));
        return mixed(scaled(who.hair, 1 - 0.25F * std::abs(x)), kWhite, 0.22F * shine);
    };
    to.paint({-0.6F, -0.9F, 1.2F, 1.4F}, depth, shaded, 1, 0.02F);
}

std::uint8_t byteOf(float value) {
    return static_cast<std::uint8_t>(std::clamp(std::lround(value), 0L, 255L));
}

/// What of a row is drawn, and its longest solid part.
Sprite::Span spanOf(const std::uint8_t* mask, int width) {
    const auto isDrawn = [](std::uint8_t cover) { return cover != 0; };
    const std::uint8_t* end = mask + width;
    const std::uint8_t* first = std::find_if(mask, end, isDrawn);
    Sprite::Span span;
    span.begin = static_cast<int>(first - mask);
    span.end = span.solidBegin = span.solidEnd = span.begin;
    int solid = 0;
    for (int x = span.begin; x < width; ++x) {
        if (isDrawn(mask[x])) span.end = x + 1;
        solid = mask[x] == 255 ? solid + 1 : 0;
        if (solid <= span.solidEnd - span.solidBegin) continue;
        span.solidBegin = x + 1 - solid;
        span.solidEnd = x + 1;
    }
    return span;
}

void findSpans(Sprite::Layer& layer) {
    for (int y = 0; y < layer.size.height; ++y) {
        const std::uint8_t* row = layer.mask.data() + static_cast<std::ptrdiff_t>(y) * layer.size.width;
        layer.spans.push_back(spanOf(row, layer.size.width));
    }
}

Sprite::Layer lumaOf(const Painter& from, bool highDefinition) {
    Sprite::Layer layer{from.size(), {}, {}, {}};
    for (int y = 0; y < layer.size.height; ++y) {
        for (int x = 0; x < layer.size.width; ++x) {
            layer.pixels.push_back(yuvOf(from.at(x, y).colour, highDefinition)[0]);
            layer.mask.push_back(byteOf(255 * from.at(x, y).mask));
        }
    }
    findSpans(layer);
    return layer;
}

/// Each chroma sample is the mean of four pixels, weighed by their coverage.
Sprite::Layer chromaOf(const Painter& from, std::size_t plane, bool highDefinition) {
    Sprite::Layer layer{{from.size().width / 2, from.size().height / 2}, {}, {}, {}};
    for (int y = 0; y < layer.size.height; ++y) {
        for (int x = 0; x < layer.size.width; ++x) {
            float sum = 0;
            float mask = 0;
            for (int i = 0; i < 4; ++i) {
                const Painter::Pixel& pixel = from.at(2 * x + i % 2, 2 * y + i / 2);
                sum += pixel.mask * static_cast<float>(yuvOf(pixel.colour, highDefinition)[plane]);
                mask += pixel.mask;
            }
            layer.pixels.push_back(byteOf(mask > 0 ? sum / mask : 128));
            layer.mask.push_back(byteOf(255 * mask / 4));
        }
    }
    findSpans(layer);
    return layer;
}

int roundedUpToEven(float value) {
    return static_cast<int>(std::ceil(value / 2)) * 2;
}

}  // namespace

Yuv yuvOf(Rgb colour, bool highDefinition) {
    // Weights of red and blue in luma: BT.601 section 2.5.1, BT.709 section 3.
    const float red = highDefinition ? 0.2126F : 0.299F;
    const float blue = highDefinition ? 0.0722F : 0.114F;
    const auto limited = [](float value) { return std::clamp(value, 0.0F, 1.0F); };
    const float r = limited(colour.red);
    const float b = limited(colour.blue);
    const float luma = red * r + (1 - red - blue) * limited(colour.green) + blue * b;
    return {byteOf(16 + 219 * luma), byteOf(128 + 112 * (b - luma) / (1 - blue)),
            byteOf(128 + 112 * (r - luma) / (1 - red))};
}

Sprite paintPerson(const Likeness& likeness, int faceWidth, int below, bool highDefinition) {
    const auto unit = static_cast<float>(faceWidth);
    const int middleX = roundedUpToEven(kHalfWidth * unit);
    const int middleY = roundedUpToEven(kAbove * unit);
    Painter painter({2 * middleX, roundedUpToEven(static_cast<float>(middleY + below))}, unit,
                    static_cast<float>(middleX), static_cast<float>(middleY));
    paintHairBehind(painter, likeness);
    paintBody(painter, likeness, static_cast<float>(below) / unit);
    paintHead(painter, likeness);
    paintFeatures(painter, likeness);
    paintHairInFront(painter, likeness);

    Sprite sprite;
    sprite.layers = {lumaOf(painter, highDefinition), chromaOf(painter, 1, highDefinition),
                     chromaOf(painter, 2, highDefinition)};
    sprite.face = {static_cast<float>(middleX) - unit / 2, static_cast<float>(middleY) + kBoxTop * unit, unit,
                   (kBoxBottom - kBoxTop) * unit};
    sprite.centreX = middleX;
    sprite.centreY = middleY;
    return sprite;
}

}  // namespace edgecam::capture
