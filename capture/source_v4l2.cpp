// The plan for v4l2:// sources: the mode that fits the wish best is asked for by name, because a driver's
// default may be 4K at 2 pictures a second. H.264 from the camera is passed through, everything else becomes
// I420.
#include <fcntl.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <string_view>

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
    const char* chain;  ///< from those caps to I420, H.264 or H.265
};

constexpr const char* kConvert = "videoconvert ! video/x-raw,format=I420";

constexpr PixelFormat kPixelFormats[] = {
    {"H264", "video/x-h264", "h264parse ! video/x-h264,stream-format=avc,alignment=au"},
    {"HEVC", "video/x-h265", "h265parse ! video/x-h265,stream-format=hvc1,alignment=au"},
    {"MJPG", "image/jpeg", "jpegdec ! videoconvert ! video/x-raw,format=I420"},
    {"JPEG", "image/jpeg", "jpegdec ! videoconvert ! video/x-raw,format=I420"},
    {"YUYV", "video/x-raw,format=YUY2", kConvert},
    {"YVYU", "video/x-raw,format=YVYU", kConvert},
    {"UYVY", "video/x-raw,format=UYVY", kConvert},
    {"NV12", "video/x-raw,format=NV12", kConvert},
    {"NV21", "video/x-raw,format=NV21", kConvert},
    {"NV16", "video/x-raw,format=NV16", kConvert},
    {"YU12", "video/x-raw,format=I420", kConvert},
    {"YV12", "video/x-raw,format=YV12", kConvert},
    {"422P", "video/x-raw,format=Y42B", kConvert},
    {"RGB3", "video/x-raw,format=RGB", kConvert},
    {"BGR3", "video/x-raw,format=BGR", kConvert},
    {"GREY", "video/x-raw,format=GRAY8", kConvert},
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

}  // namespace

Result<SourcePlan> planV4l2(const SourceUri& uri) {
    const auto choice = choiceFor(uri);
    if (!choice) return choice.error();
    const PixelFormat* format = formatFor(choice->fourcc);
    if (!format) return Error{"the camera's pixel format " + choice->fourcc + " is not understood"};
    auto pipeline = Pipeline::parse(std::string("v4l2src name=in ! ") + format->caps + sizeAndRate(*choice) +
                                    " ! " + format->chain + " ! appsink name=out");
    if (!pipeline) return pipeline.error();
    const auto source = pipeline->element("in");
    g_object_set(source.get(), "device", uri.location.c_str(), nullptr);
    return SourcePlan{std::move(*pipeline), false};
}

}  // namespace edgecam::capture
