// V4l2Device: which cameras the kernel has, what each can give, and which of that to ask for. Only asks;
// starts and changes nothing. Knows no GStreamer.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "base/geometry.hpp"
#include "base/result.hpp"
#include "capture/device_identity.hpp"

namespace edgecam::capture {

struct V4l2Size {
    Size size;
    std::vector<double> rates;  ///< pictures a second, fastest first; empty where the driver does not say
};

struct V4l2Format {
    std::string fourcc;       ///< e.g. "YUYV", "MJPG", "H264"; trailing spaces removed
    std::string description;  ///< the driver's words
    std::vector<V4l2Size> sizes;
};

struct V4l2Device : DeviceIdentity {
    std::string path;    ///< e.g. "/dev/video0": may change when a camera is plugged in again
    std::string byId;    ///< "/dev/v4l/by-id/…", which does not change; empty where udev made none
    std::string byPath;  ///< "/dev/v4l/by-path/…", which does not change with the socket; may be empty, too
    std::string driver;  ///< e.g. "uvcvideo"
    std::vector<V4l2Format> formats;
};

/// Every device node that captures video into one plane, ordered by number. Nodes that cannot be opened or do
/// not answer are left out; none at all is an empty list. Does not wait for a device, but each ioctl takes
/// the time that its driver takes. Thread-safe.
Result<std::vector<V4l2Device>> listDevices();

/// The same without formats and links, which is much quicker.
std::vector<V4l2Device> presentDevices();

/// ioctl(2) on one open device: 0, or -1 with errno. The seam for tests.
using V4l2Control = std::function<int(unsigned long request, void* argument)>;

/// What a device that answers `control` can do. At most 64 formats, 64 sizes each and 32 rates each are read;
/// of a continuous or stepwise range, the usual sizes (320x180 … 3840x2160) and rates inside it, and its
/// largest size. Fails when it is no capture device.
Result<V4l2Device> describeDevice(std::string path, const V4l2Control& control);

/// As describeDevice(), without formats, serial and index.
Result<V4l2Device> introduceDevice(std::string path, const V4l2Control& control);

/// What the driver says is wrong with the input in use, e.g. `no signal at its input "HDMI"`; empty: nothing
/// is, or it does not say.
std::string inputTrouble(const V4l2Control& control);

struct V4l2Wish {
    Size size;             ///< empty: 1280x720
    double frameRate = 0;  ///< 0: 30
    std::string fourcc;    ///< empty: any that can be decoded
};

struct V4l2Choice {
    std::string fourcc;
    Size size;
    double frameRate = 0;  ///< 0: the driver does not say; leave it to the driver
};

/// The mode that fits a wish best. What counts, in this order: at least 10 pictures a second (or the wanted
/// rate, if less); the largest size not above the wanted one in either direction, else the smallest there is;
/// a rate that reaches the wanted one, else the fastest; the coding, H264 first, then above 640x480 MJPG
/// before raw pictures, up to there raw ones before MJPG; the slowest rate that is enough. Fails when the
/// device has none of the formats that are wanted or understood.
Result<V4l2Choice> chooseFormat(const V4l2Device& device, const V4l2Wish& wish);

}  // namespace edgecam::capture
