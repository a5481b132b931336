// The plan for v4l2:// sources: the mode that fits the wish best is asked for by name, because a driver's
// default may be 4K at 2 pictures a second. H.264 from the camera is passed through, everything else becomes
// I420.
#include <cerrno>
#include <cstring>
#include <string_view>

#include "base/log.hpp"
#include "capture/known_device.hpp"
#include "capture/open_device.hpp"
#include "capture/pipeline_source.hpp"
#include "capture/v4l2_device.hpp"

namespace edgecam::capture {
namespace {

/// What open() says, for who stands before the box.
std::string openingTrouble(const std::string& path, int error) {
    switch (error) {
        case ENOENT:
        case ENODEV:
        case ENXIO:
            return path + ": not plugged in";
        case EACCES:
        case EPERM:
            return path + ": no permission to open it; the agent's user must be in the group that owns it";
        case EBUSY:
            return path + ": busy, another program uses the camera";
        default:
            return path + ": " + std::strerror(error);
    }
}

Result<V4l2Choice> choiceFor(const SourceUri& uri, KnownDevice& known) {
    const std::string path = known.path();
    const OpenDevice file(path);
    if (!file) return Error{openingTrouble(path, errno)};
    const auto control = [&](unsigned long request, void* argument) {
        return file.control(request, argument);
    };
    const auto device = describeDevice(path, control);
    if (!device) return device.error();
    known.setInputTrouble(inputTrouble(control));
    return chooseFormat(*device, {uri.size, uri.frameRate, uri.pixelFormat});
}

struct PixelFormat {
    const char* fourcc;
    const char* caps;
    const char* chain;   ///< from those caps
    const char* result;  ///< to these
};

constexpr const char* kConvert = "videoconvert";
constexpr const char* kDecode = "jpegdec ! videoconvert";
constexpr const char* kPixels = "video/x-raw,format=I420";

constexpr PixelFormat kPixelFormats[] = {
    {"H264", "video/x-h264", "h264parse", "video/x-h264,stream-format=avc,alignment=au"},
    {"HEVC", "video/x-h265", "h265parse", "video/x-h265,stream-format=hvc1,alignment=au"},
    {"MJPG", "image/jpeg", kDecode, kPixels},
    {"JPEG", "image/jpeg", kDecode, kPixels},
    {"YUYV", "video/x-raw,format=YUY2", kConvert, kPixels},
    {"YVYU", "video/x-raw,format=YVYU", kConvert, kPixels},
    {"UYVY", "video/x-raw,format=UYVY", kConvert, kPixels},
    {"NV12", "video/x-raw,format=NV12", kConvert, kPixels},
    {"NV21", "video/x-raw,format=NV21", kConvert, kPixels},
    {"NV16", "video/x-raw,format=NV16", kConvert, kPixels},
    {"YU12", "video/x-raw,format=I420", kConvert, kPixels},
    {"YV12", "video/x-raw,format=YV12", kConvert, kPixels},
    {"422P", "video/x-raw,format=Y42B", kConvert, kPixels},
    {"RGB3", "video/x-raw,format=RGB", kConvert, kPixels},
    {"BGR3", "video/x-raw,format=BGR", kConvert, kPixels},
    {"GREY", "video/x-raw,format=GRAY8", kConvert, kPixels},
};

const PixelFormat* formatFor(std::string_view fourcc) {
    for (const PixelFormat& format : kPixelFormats) {
        if (fourcc == format.fourcc) return &format;
    }
    return nullptr;
}

std::string sizeAndRate(const V4l2Choice& choice) {
    std::string text =
        ",width=" + std::to_string(choice.size.width) + ",height=" + std::to_string(choice.size.height);
    if (choice.frameRate > 0) {
        const Fraction rate = fractionOf(choice.frameRate);
        text += ",framerate=" + std::to_string(rate.numerator) + "/" + std::to_string(rate.denominator);
    }
    return text;
}

/// Finds the device and links it to the pipeline's end in the mode that fits best. Blocks on devices.
Result<void> connectDevice(const SourceUri& uri, KnownDevice& known, GstElement* pipeline) {
    const auto path = known.find();
    if (!path) return path.error();
    const auto choice = choiceFor(uri, known);
    if (!choice) return choice.error();
    const PixelFormat* format = formatFor(choice->fourcc);
    if (!format) return Error{"the camera's pixel format " + choice->fourcc + " is not understood"};
    const auto source = adopt(gst_bin_get_by_name(GST_BIN(pipeline), "in"));
    g_object_set(source.get(), "device", path->c_str(), nullptr);
    const auto pad = adopt(gst_element_get_static_pad(source.get(), "src"));
    attachChain(source.get(), pad.get(),
                concat("capsfilter name=head caps=", format->caps, sizeAndRate(*choice), " ! ", format->chain,
                       " ! capsfilter name=tail caps=", format->result)
                    .c_str());
    return {};
}

/// Asks through the source's own descriptor: some drivers take a second one for a second user.
void lookAtInput(KnownDevice& known, GstElement* pipeline) {
    const auto source = adopt(gst_bin_get_by_name(GST_BIN(pipeline), "in"));
    int file = -1;
    g_object_get(source.get(), "device-fd", &file, nullptr);
    if (file < 0) return;
    known.setInputTrouble(inputTrouble([file](unsigned long request, void* argument) {
        return OpenDevice::controlOf(file, request, argument);
    }));
}

}  // namespace

Result<SourcePlan> planV4l2(const SourceUri& uri, const std::shared_ptr<KnownDevice>& known) {
    auto pipeline = Pipeline::parse("v4l2src name=in appsink name=out");
    if (!pipeline) return pipeline.error();
    return SourcePlan{.pipeline = std::move(*pipeline),
                      .prepare = [uri, known](GstElement* made) { return connectDevice(uri, *known, made); },
                      .check = [known](GstElement* playing) { lookAtInput(*known, playing); },
                      .device = known};
}

}  // namespace edgecam::capture
