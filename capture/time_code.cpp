#include "capture/time_code.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>

#include "capture/synthetic_scene.hpp"

namespace edgecam::capture {
namespace {

constexpr int kRows = 2;
constexpr int kColumns = 36;
constexpr int kValueBits = 56;
constexpr int kCells = kRows * kColumns;
static_assert(kValueBits + 16 == kCells);

constexpr std::uint8_t kBlack = 16;
constexpr std::uint8_t kWhite = 235;
constexpr std::uint8_t kDigitLuma = 210;
constexpr int kThreshold = 126;

// Columns and rows of the grid of 64ths of the width and 72ths of the height.
constexpr int kFirstColumn = 1;
constexpr int kDigitsFirstColumn = 39;
constexpr int kDigitsLastColumn = 63;

/// CRC-16/CCITT-FALSE: polynomial 0x1021, start 0xffff, so that black and white pictures do not pass.
std::uint16_t checksum(std::uint64_t value) {
    std::uint32_t crc = 0xffff;
    for (int bit = kValueBits - 1; bit >= 0; --bit) {
        const bool carry = (crc >> 15 & 1U) != (value >> bit & 1U);
        crc = (crc << 1 ^ (carry ? 0x1021U : 0U)) & 0xffffU;
    }
    return static_cast<std::uint16_t>(crc);
}

/// The bits of all cells, the first cell first.
std::array<bool, kCells> cellsOf(std::uint64_t value) {
    std::array<bool, kCells> cells{};
    const std::uint16_t crc = checksum(value);
    for (int i = 0; i < kCells; ++i) {
        const bool isValue = i < kValueBits;
        cells[static_cast<std::size_t>(i)] =
            ((isValue ? value >> (kValueBits - 1 - i) : std::uint64_t{crc} >> (kCells - 1 - i)) & 1U) != 0;
    }
    return cells;
}

/// Edges of a cell as fractions of the picture.
RectNorm cellBox(int index) {
    const auto column = static_cast<float>(kFirstColumn + index % kColumns);
    const auto row = static_cast<float>(index / kColumns);
    return {column / 64, (2 * row + 1) / 72, 1.0F / 64, 2.0F / 72};
}

void fillLuma(Canvas& canvas, const RectPx& box, std::uint8_t luma) {
    const int left = static_cast<int>(std::lround(box.x));
    const int right = static_cast<int>(std::lround(box.x + box.width));
    const int bottom = static_cast<int>(std::lround(box.y + box.height));
    for (int y = static_cast<int>(std::lround(box.y)); y < bottom; ++y) {
        std::fill_n(canvas.planes[0] + static_cast<std::ptrdiff_t>(y) * canvas.strides[0] + left,
                    right - left, luma);
    }
}

void clearBand(Canvas& canvas) {
    const int rows = timeCodeRows(canvas.size);
    for (int plane = 0; plane < 3; ++plane) {
        const int width = plane == 0 ? canvas.size.width : canvas.size.width / 2;
        const int height = plane == 0 ? rows : rows / 2;
        for (int y = 0; y < height; ++y) {
            std::fill_n(canvas.planes[plane] + static_cast<std::ptrdiff_t>(y) * canvas.strides[plane], width,
                        plane == 0 ? kBlack : std::uint8_t{128});
        }
    }
}

/// "hh:mm:ss.mmm" of a time in microseconds since the epoch.
std::array<char, 12> timeOfDay(std::uint64_t microseconds) {
    const auto milliseconds = static_cast<unsigned>(microseconds / 1000 % 86'400'000);
    const auto digit = [](unsigned value) { return static_cast<char>('0' + value % 10); };
    const unsigned seconds = milliseconds / 1000 % 60;
    const unsigned minutes = milliseconds / 60'000 % 60;
    const unsigned hours = milliseconds / 3'600'000;
    return {digit(hours / 10),
            digit(hours),
            ':',
            digit(minutes / 10),
            digit(minutes),
            ':',
            digit(seconds / 10),
            digit(seconds),
            '.',
            digit(milliseconds / 100),
            digit(milliseconds / 10),
            digit(milliseconds)};
}

/// A seven-segment digit, colon or point inside the box.
void drawGlyph(Canvas& canvas, char glyph, const RectPx& box) {
    // Segments a to g: top, upper right, lower right, bottom, lower left, upper left, middle.
    constexpr std::array<std::uint8_t, 10> kSegments{0x3f, 0x06, 0x5b, 0x4f, 0x66,
                                                     0x6d, 0x7d, 0x07, 0x7f, 0x6f};
    const float pen = box.height / 8;
    const float width = box.width * 0.7F;
    const float half = (box.height - pen) / 2;
    const float right = box.x + width - pen;
    const float dot = box.x + (width - pen) / 2;
    if (glyph == ':') fillLuma(canvas, {dot, box.y + half / 2, pen, pen}, kDigitLuma);
    if (glyph == ':') fillLuma(canvas, {dot, box.y + half * 1.5F, pen, pen}, kDigitLuma);
    if (glyph == '.') fillLuma(canvas, {dot, box.y + box.height - pen, pen, pen}, kDigitLuma);
    if (glyph < '0' || glyph > '9') return;
    const std::array<RectPx, 7> strokes{{{box.x, box.y, width, pen},
                                         {right, box.y, pen, half + pen},
                                         {right, box.y + half, pen, half + pen},
                                         {box.x, box.y + 2 * half, width, pen},
                                         {box.x, box.y + half, pen, half + pen},
                                         {box.x, box.y, pen, half + pen},
                                         {box.x, box.y + half, width, pen}}};
    const std::uint8_t lit = kSegments[static_cast<std::size_t>(glyph - '0')];
    for (std::size_t i = 0; i < strokes.size(); ++i) {
        if ((lit >> i & 1U) != 0) fillLuma(canvas, strokes[i], kDigitLuma);
    }
}

void drawTimeOfDay(Canvas& canvas, std::uint64_t microseconds) {
    const auto text = timeOfDay(microseconds);
    const auto width = static_cast<float>(canvas.size.width);
    const auto height = static_cast<float>(canvas.size.height);
    const float left = width * kDigitsFirstColumn / 64;
    const float advance =
        width * (kDigitsLastColumn - kDigitsFirstColumn) / 64 / static_cast<float>(text.size());
    for (std::size_t i = 0; i < text.size(); ++i) {
        drawGlyph(canvas, text[i],
                  {left + advance * static_cast<float>(i), height / 72, advance, height * 4 / 72});
    }
}

/// Mean luma of the middle of a cell.
int lumaOfCell(const Picture& picture, int index) {
    const RectPx box = inPixels(cellBox(index), picture.size);
    const auto inner = [](float start, float length) {
        const int first = static_cast<int>(std::ceil(start + length * 0.25F));
        return std::pair(first, std::max(first + 1, static_cast<int>(start + length * 0.75F)));
    };
    const auto [left, right] = inner(box.x, box.width);
    const auto [top, bottom] = inner(box.y, box.height);
    int sum = 0;
    for (int y = top; y < bottom; ++y) {
        for (int x = left; x < right; ++x) {
            sum += picture.planes[0].data[static_cast<std::ptrdiff_t>(y) * picture.planes[0].stride + x];
        }
    }
    return sum / ((right - left) * (bottom - top));
}

}  // namespace

void drawTimeCode(Canvas& canvas, std::uint64_t timeCode) {
    clearBand(canvas);
    const auto cells = cellsOf(timeCode & kTimeCodeMask);
    for (int i = 0; i < kCells; ++i) {
        if (cells[static_cast<std::size_t>(i)]) fillLuma(canvas, inPixels(cellBox(i), canvas.size), kWhite);
    }
    drawTimeOfDay(canvas, timeCode & kTimeCodeMask);
}

std::optional<std::uint64_t> readTimeCode(const Picture& picture) {
    if (picture.size.width < 320 || picture.size.height < 160 || !picture.planes[0].data) return std::nullopt;
    std::uint64_t value = 0;
    std::uint32_t crc = 0;
    for (int i = 0; i < kCells; ++i) {
        const bool white = lumaOfCell(picture, i) > kThreshold;
        if (i < kValueBits) {
            value = value << 1 | (white ? 1U : 0U);
        } else {
            crc = crc << 1 | (white ? 1U : 0U);
        }
    }
    if (crc != checksum(value)) return std::nullopt;
    return value;
}

}  // namespace edgecam::capture
