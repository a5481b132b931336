// The plan for v4l2:// sources: the mode that fits the wish best is asked for by name, because a driver's
// default may be 4K at 2 pictures a second. H.264 from the camera is passed through, everything else becomes
// I420.
#include <fcntl.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <string_view>

#include "base/log.hpp"
#include "capture/pipeline_source.hpp"
#include "capture/v4l2_device.hpp"

namespace edgecam::capture {
namespace {

class OpenDevice {
  public:
    explicit OpenDevice(const std::string& path)
        : file_(::open(path.c_str(), O_RDWR | O_NONBLOCK | O_CLOEXEC)) {}
    ~OpenDevice() {
        if (file_ >= 0) ::close(file_);
    }
    OpenDevice(const OpenDevice&) = delete;
    OpenDevice& operator=(const OpenDevice&) = delete;

    explicit operator bool() const { return file_ >= 0; }
    int control(unsigned long request, void* argument) const { return ::ioctl(file_, request, argument); }

  private:
    int file_;
};

Result<V4l2Choice> choiceFor(const SourceUri& uri) {
    const OpenDevice file(uri.location);
    if (!file) return Error{uri.location + ": " + std::strerror(errno)};
    const auto device = describeDevice(
        uri.location, [&](unsigned long request, void* argument) { return file.control(request, argument); });
    if (!device) return device.error();
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

/// Links the device to the pipeline's end in the mode that fits best. Blocks on the device.
Result<void> connectDevice(const SourceUri& uri, GstElement* pipeline) {
    const auto choice = choiceFor(uri);
    if (!choice) return choice.error();
    const PixelFormat* format = formatFor(choice->fourcc);
    if (!format) return Error{"the camera's pixel format " + choice->fourcc + " is not understood"};
    const auto source = adopt(gst_bin_get_by_name(GST_BIN(pipeline), "in"));
    const auto pad = adopt(gst_element_get_static_pad(source.get(), "src"));
    attachChain(source.get(), pad.get(),
                concat("capsfilter name=head caps=", format->caps, sizeAndRate(*choice), " ! ", format->chain,
                       " ! capsfilter name=tail caps=", format->result)
                    .c_str());
    return {};
}

}  // namespace

Result<SourcePlan> planV4l2(const SourceUri& uri) {
    auto pipeline = Pipeline::parse("v4l2src name=in appsink name=out");
    if (!pipeline) return pipeline.error();
    const auto source = pipeline->element("in");
    g_object_set(source.get(), "device", uri.location.c_str(), nullptr);
    return SourcePlan{.pipeline = std::move(*pipeline),
                      .prepare = [uri](GstElement* made) { return connectDevice(uri, made); },
                      .device = uri.location};
}

}  // namespace edgecam::capture
