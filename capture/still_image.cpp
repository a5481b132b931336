#include "capture/still_image.hpp"

#include <gst/app/gstappsink.h>
#include <gst/app/gstappsrc.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <filesystem>
#include <fstream>

#include "base/log.hpp"
#include "capture/gst.hpp"
#include "capture/picture_buffer.hpp"

namespace edgecam::capture {
namespace {

constexpr const char* kJpegDecoder = "jpegdec";
constexpr const char* kJpegColours = "1:4:0:0";
// Without wait-on-eos=false the end is announced only after the sample was taken.
constexpr const char* kOut = "appsink name=out sync=false wait-on-eos=false enable-last-sample=false";
constexpr int kBlock = 16;
constexpr const char* kBroken = "it is broken or incomplete";
constexpr std::size_t kLargestFile = std::size_t{64} << 20;
constexpr GstClockTime kDeadline = 10 * GST_SECOND;
constexpr int kLastStandardDefinitionRow = 576;  // above it GStreamer, like everybody, assumes BT.709

/// Takes one buffer through a pipeline with an appsrc "in" and an appsink "out".
Result<Handle<GstSample>> passThrough(Pipeline& pipeline, Handle<GstBuffer> input, const char* nothing) {
    const auto in = pipeline.element("in");
    const auto out = pipeline.element("out");
    if (auto started = pipeline.play(); !started) return started.error();
    gst_app_src_push_buffer(GST_APP_SRC(in.get()), input.release());
    gst_app_src_end_of_stream(GST_APP_SRC(in.get()));

    constexpr auto kEnds = static_cast<GstMessageType>(GST_MESSAGE_ERROR | GST_MESSAGE_EOS);
    const auto bus = adopt(gst_element_get_bus(pipeline.top()));
    const auto end = adopt(gst_bus_timed_pop_filtered(bus.get(), kDeadline, kEnds));
    if (!end) return Error{"it took more than 10 s"};
    if (GST_MESSAGE_TYPE(end.get()) == GST_MESSAGE_ERROR) return Error{nothing};
    auto sample = adopt(gst_app_sink_try_pull_sample(GST_APP_SINK(out.get()), 0));
    if (!sample) return Error{nothing};
    return sample;
}

const char* decoderOf(ByteView file) {
    constexpr std::string_view kJpeg = "\xff\xd8\xff";
    constexpr std::string_view kPng = "\x89PNG\r\n\x1a\n";
    const std::string_view text(reinterpret_cast<const char*>(file.data()), file.size());
    if (text.starts_with(kJpeg)) return kJpegDecoder;
    if (text.starts_with(kPng)) return "pngdec";
    return nullptr;
}

/// Whether a JPEG goes on to its end marker: decoders fill up what is missing with grey and say nothing.
/// Marker segments: ISO/IEC 10918-1, B.1.1.
bool isComplete(ByteView jpeg) {
    constexpr std::uint16_t kStartOfScan = 0xffda;
    constexpr std::array<std::uint8_t, 2> kEndOfImage{0xff, 0xd9};
    ByteReader reader(jpeg.subspan(2));
    while (const auto marker = reader.u16()) {
        if (*marker == kStartOfScan) break;
        const std::uint16_t length = reader.u16().value_or(0);
        if (length < 2 || !reader.bytes(length - 2U)) return false;
    }
    const ByteView scans = jpeg.last(reader.remaining());
    return std::search(scans.begin(), scans.end(), kEndOfImage.begin(), kEndOfImage.end()) != scans.end();
}

/// What the decoder said before it was refused, or before it failed.
bool isTooLarge(const Pipeline& pipeline) {
    const auto decoder = pipeline.element("decoder");
    const auto pad = adopt(gst_element_get_static_pad(decoder.get(), "src"));
    const auto caps = adopt(gst_pad_get_current_caps(pad.get()));
    int width = 0;
    int height = 0;
    const GstStructure* structure = caps ? gst_caps_get_structure(caps.get(), 0) : nullptr;
    return structure && gst_structure_get_int(structure, "width", &width) &&
           gst_structure_get_int(structure, "height", &height) && std::max(width, height) > kLargestSide;
}

// A clear green, Y, U, V.
constexpr std::array<std::uint8_t, 3> kFrameColour{149, 43, 21};

/// Pixels of one plane that can be changed.
struct Surface {
    std::uint8_t* data;
    int stride;
    int width;
    int height;

    void fill(int left, int top, int right, int bottom, std::uint8_t value) const {
        left = std::clamp(left, 0, width);
        right = std::clamp(right, left, width);
        for (int y = std::clamp(top, 0, height); y < std::min(bottom, height); ++y) {
            std::fill_n(data + static_cast<std::ptrdiff_t>(y) * stride + left, right - left, value);
        }
    }

    /// A frame of `thickness` just inside the rectangle.
    void frame(int left, int top, int right, int bottom, int thickness, std::uint8_t value) const {
        fill(left, top, right, std::min(top + thickness, bottom), value);
        fill(left, std::max(bottom - thickness, top), right, bottom, value);
        fill(left, top, std::min(left + thickness, right), bottom, value);
        fill(std::max(right - thickness, left), top, right, bottom, value);
    }
};

Size sizeOfPlane(Size picture, std::size_t plane) {
    if (plane == 0) return picture;
    return {(picture.width + 1) / 2, (picture.height + 1) / 2};
}

/// A picture of the same size whose pixels are its own; `into` gets its planes, to be written before it is
/// shared. Rows are padded to a multiple of `alignment` with their last pixel.
Picture copyOf(const Picture& picture, int alignment, std::array<Surface, 3>& into) {
    Picture copy = picture;
    const auto pixels = std::make_shared<std::array<ByteBuffer, 3>>();
    for (std::size_t i = 0; i < 3; ++i) {
        const Plane& from = picture.planes[i];
        const Size size = sizeOfPlane(picture.size, i);
        const int stride = (size.width + alignment - 1) / alignment * alignment;
        ByteBuffer& bytes = (*pixels)[i];
        bytes.reserve(static_cast<std::size_t>(stride) * static_cast<std::size_t>(size.height));
        for (int y = 0; y < size.height; ++y) {
            const std::uint8_t* row = from.data + static_cast<std::ptrdiff_t>(y) * from.stride;
            bytes.insert(bytes.end(), row, row + size.width);
            bytes.insert(bytes.end(), static_cast<std::size_t>(stride - size.width), row[size.width - 1]);
        }
        into[i] = {bytes.data(), stride, size.width, size.height};
        copy.planes[i] = {bytes.data(), stride};
    }
    copy.pixels = pixels;
    return copy;
}

/// Full-range BT.601, which is what a JPEG's colours are (JFIF 1.02); jpegenc itself converts nothing.
Result<Picture> inJpegColours(const Picture& picture) {
    auto pipeline =
        Pipeline::parse(concat("appsrc name=in format=time ! videoconvert ! ",
                               "video/x-raw,format=I420,colorimetry=", kJpegColours, " ! ", kOut));
    if (!pipeline) return pipeline.error();
    const auto caps = rawCaps(picture.size, 0);
    const bool standard = picture.size.height <= kLastStandardDefinitionRow;
    gst_caps_set_simple(caps.get(), "colorimetry", G_TYPE_STRING, standard ? "bt601" : "bt709", nullptr);
    gst_app_src_set_caps(GST_APP_SRC(pipeline->element("in").get()), caps.get());
    const auto sample =
        passThrough(*pipeline, bufferOf(picture, Microseconds(0)), "its colours cannot be converted");
    if (!sample) return sample.error();
    auto converted = pictureOf(sample->get());
    if (!converted) return Error{"its colours cannot be converted"};
    return *std::move(converted);
}

}  // namespace

Result<Picture> readPicture(const std::string& path) {
    std::error_code failure;
    const auto size = std::filesystem::file_size(path, failure);
    if (failure) return Error{path + ": " + failure.message()};
    if (size > kLargestFile) return Error{path + ": larger than 64 MiB"};
    std::ifstream file(path, std::ios::binary);
    ByteBuffer bytes(static_cast<std::size_t>(size));
    if (size == 0 || !file.read(reinterpret_cast<char*>(bytes.data()), static_cast<std::streamsize>(size))) {
        return Error{path + ": cannot be read, or is empty"};
    }
    auto picture = decodePicture(bytes);
    if (!picture) return picture.error().within(path);
    return picture;
}

Result<Picture> decodePicture(ByteView file) {
    const char* decoder = decoderOf(file);
    if (!decoder) return Error{"neither JPEG nor PNG"};
    if (std::string_view(decoder) == kJpegDecoder && !isComplete(file)) return Error{kBroken};
    // The limit stands behind the decoder, which states the size before it takes memory for it.
    auto pipeline = Pipeline::parse(
        concat("appsrc name=in format=time ! ", decoder, " name=decoder ! video/x-raw,width=[1,",
               kLargestSide, "],height=[1,", kLargestSide,
               "] ! videoconvert ! capsfilter caps=\"video/x-raw,format=I420,height=[1,",
               kLastStandardDefinitionRow, "],colorimetry=bt601;video/x-raw,format=I420,height=[",
               kLastStandardDefinitionRow + 1, ",", kLargestSide, "],colorimetry=bt709\" ! ", kOut));
    if (!pipeline) return pipeline.error();
    auto input = adopt(gst_buffer_new_memdup(file.data(), file.size()));
    const auto sample = passThrough(*pipeline, std::move(input), kBroken);
    if (!sample) {
        if (isTooLarge(*pipeline)) return Error{concat("larger than ", kLargestSide, " pixels a side")};
        return sample.error();
    }
    auto picture = pictureOf(sample->get());
    if (!picture) return Error{"its pixels cannot be read"};
    return *std::move(picture);
}

Result<ByteBuffer> encodeJpeg(const Picture& picture, int quality) {
    if (quality < 1 || quality > 100) return Error{"JPEG quality must be from 1 to 100"};
    if (picture.size.empty() || std::max(picture.size.width, picture.size.height) > kLargestSide) {
        return Error{concat("a JPEG has 1 to ", kLargestSide, " pixels a side")};
    }
    const auto converted = inJpegColours(picture);
    if (!converted) return converted.error();
    // The encoder takes whole blocks of 16 pixels and reads them from behind the row's end: what lies there,
    // some of this process's memory else, would become part of the JPEG.
    std::array<Surface, 3> planes;
    const Picture padded = copyOf(*converted, kBlock, planes);
    auto pipeline =
        Pipeline::parse(concat("appsrc name=in format=time ! jpegenc quality=", quality, " ! ", kOut));
    if (!pipeline) return pipeline.error();
    const auto caps = rawCaps(picture.size, 0);
    gst_caps_set_simple(caps.get(), "colorimetry", G_TYPE_STRING, kJpegColours, nullptr);
    gst_app_src_set_caps(GST_APP_SRC(pipeline->element("in").get()), caps.get());
    const auto sample = passThrough(*pipeline, bufferOf(padded, Microseconds(0)), "the JPEG encoder failed");
    if (!sample) return sample.error();

    GstBuffer* buffer = gst_sample_get_buffer(sample->get());
    ByteBuffer bytes(gst_buffer_get_size(buffer));
    gst_buffer_extract(buffer, 0, bytes.data(), bytes.size());
    return bytes;
}

Picture withBoxes(const Picture& picture, std::span<const RectNorm> boxes) {
    std::array<Surface, 3> planes;
    Picture copy = copyOf(picture, 1, planes);
    // Even edges, so that luma and chroma cover the same pixels.
    const auto even = [](float value) { return static_cast<int>(std::lround(value / 2)) * 2; };
    const int thickness = std::max(2, picture.size.width / 640 * 2);
    for (const RectNorm& box : boxes) {
        const RectPx px = inPixels(clipped(box), picture.size);
        const int left = even(px.x);
        const int top = even(px.y);
        const int right = even(px.x + px.width);
        const int bottom = even(px.y + px.height);
        planes[0].frame(left, top, right, bottom, thickness, kFrameColour[0]);
        for (std::size_t i = 1; i < 3; ++i) {
            planes[i].frame(left / 2, top / 2, right / 2, bottom / 2, thickness / 2, kFrameColour[i]);
        }
    }
    return copy;
}

}  // namespace edgecam::capture
