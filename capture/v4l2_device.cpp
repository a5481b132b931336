#include "capture/v4l2_device.hpp"

#include <linux/videodev2.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <optional>
#include <tuple>

#include "base/foreign_words.hpp"
#include "capture/open_device.hpp"
#include "capture/video_class.hpp"

namespace edgecam::capture {
namespace {

constexpr std::uint32_t kMostFormats = 64;
constexpr std::uint32_t kMostSizes = 64;
constexpr std::uint32_t kMostRates = 32;
constexpr std::array<Size, 12> kUsualSizes{{{320, 180},
                                            {320, 240},
                                            {640, 360},
                                            {640, 480},
                                            {800, 600},
                                            {960, 540},
                                            {1024, 768},
                                            {1280, 720},
                                            {1280, 960},
                                            {1920, 1080},
                                            {2560, 1440},
                                            {3840, 2160}}};
constexpr std::array<double, 10> kUsualRates{120, 90, 60, 50, 30, 25, 20, 15, 10, 5};
constexpr Size kUsualSize{1280, 720};
constexpr double kUsualRate = 30;
constexpr double kSlowestVideo = 10;
constexpr const char* kVideoClass = "/sys/class/video4linux";

/// 29.97 counts as 30.
bool reaches(double rate, double wanted) {
    return rate >= wanted * 0.99;
}

/// A text field of the kernel's, which need not end with a null byte. A USB device says what it is called:
/// that goes to terminals and into JSON.
template <std::size_t N>
std::string textOf(const unsigned char (&field)[N]) {
    const char* start = reinterpret_cast<const char*>(field);
    return harmless({start, strnlen(start, N)});
}

std::string fourccOf(std::uint32_t code) {
    std::string text;
    for (int shift = 0; shift < 32; shift += 8) text += static_cast<char>(code >> shift & 0x7f);
    text.erase(text.find_last_not_of(' ') + 1);
    return harmless(text);
}

std::optional<double> rateOf(const v4l2_fract& interval) {
    if (interval.numerator == 0 || interval.denominator == 0) return std::nullopt;
    return static_cast<double>(interval.denominator) / interval.numerator;
}

void addRange(std::vector<double>& rates, const v4l2_frmival_stepwise& range) {
    const auto fastest = rateOf(range.min);
    const auto slowest = rateOf(range.max);
    if (!fastest || !slowest) return;
    rates.push_back(*fastest);
    for (const double rate : kUsualRates) {
        if (rate < *fastest && rate >= *slowest) rates.push_back(rate);
    }
}

std::vector<double> ratesOf(const V4l2Control& control, std::uint32_t pixelFormat, Size size) {
    std::vector<double> rates;
    for (std::uint32_t index = 0; index < kMostRates; ++index) {
        v4l2_frmivalenum interval{};
        interval.index = index;
        interval.pixel_format = pixelFormat;
        interval.width = static_cast<std::uint32_t>(size.width);
        interval.height = static_cast<std::uint32_t>(size.height);
        if (control(VIDIOC_ENUM_FRAMEINTERVALS, &interval) != 0) break;
        if (interval.type != V4L2_FRMIVAL_TYPE_DISCRETE) {
            addRange(rates, interval.stepwise);
            break;
        }
        if (const auto rate = rateOf(interval.discrete)) rates.push_back(*rate);
    }
    std::sort(rates.begin(), rates.end(), std::greater<>());
    return rates;
}

bool isStep(std::uint32_t value, std::uint32_t least, std::uint32_t most, std::uint32_t step) {
    return value >= least && value <= most && (step <= 1 || (value - least) % step == 0);
}

/// The usual sizes inside the range, and its largest.
std::vector<Size> sizesIn(const v4l2_frmsize_stepwise& range) {
    std::vector<Size> sizes;
    for (const Size size : kUsualSizes) {
        if (isStep(static_cast<std::uint32_t>(size.width), range.min_width, range.max_width,
                   range.step_width) &&
            isStep(static_cast<std::uint32_t>(size.height), range.min_height, range.max_height,
                   range.step_height)) {
            sizes.push_back(size);
        }
    }
    const Size largest{static_cast<int>(range.max_width), static_cast<int>(range.max_height)};
    if (!largest.empty() && std::find(sizes.begin(), sizes.end(), largest) == sizes.end())
        sizes.push_back(largest);
    return sizes;
}

std::vector<Size> sizesOf(const V4l2Control& control, std::uint32_t pixelFormat) {
    std::vector<Size> sizes;
    for (std::uint32_t index = 0; index < kMostSizes; ++index) {
        v4l2_frmsizeenum entry{};
        entry.index = index;
        entry.pixel_format = pixelFormat;
        if (control(VIDIOC_ENUM_FRAMESIZES, &entry) != 0) break;
        if (entry.type != V4L2_FRMSIZE_TYPE_DISCRETE) return sizesIn(entry.stepwise);
        const Size size{static_cast<int>(entry.discrete.width), static_cast<int>(entry.discrete.height)};
        if (!size.empty()) sizes.push_back(size);
    }
    return sizes;
}

std::vector<V4l2Format> formatsOf(const V4l2Control& control) {
    std::vector<V4l2Format> formats;
    for (std::uint32_t index = 0; index < kMostFormats; ++index) {
        v4l2_fmtdesc entry{};
        entry.index = index;
        entry.type = V4L2_BUF_TYPE_VIDEO_CAPTURE;
        if (control(VIDIOC_ENUM_FMT, &entry) != 0) break;
        V4l2Format format{fourccOf(entry.pixelformat), textOf(entry.description), {}};
        for (const Size size : sizesOf(control, entry.pixelformat)) {
            format.sizes.push_back({size, ratesOf(control, entry.pixelformat, size)});
        }
        formats.push_back(std::move(format));
    }
    return formats;
}

/// The number in "video12"; nothing for any other name.
std::optional<int> videoNumber(const std::string& name) {
    constexpr std::string_view kPrefix = "video";
    if (!name.starts_with(kPrefix) || name.size() == kPrefix.size() || name.size() > kPrefix.size() + 6) {
        return std::nullopt;
    }
    int number = 0;
    for (const char c : name.substr(kPrefix.size())) {
        if (c < '0' || c > '9') return std::nullopt;
        number = number * 10 + (c - '0');
    }
    return number;
}

std::vector<std::filesystem::path> videoNodes() {
    std::vector<std::pair<int, std::filesystem::path>> nodes;
    std::error_code ignored;
    for (const auto& entry : std::filesystem::directory_iterator("/dev", ignored)) {
        if (const auto number = videoNumber(entry.path().filename()))
            nodes.emplace_back(*number, entry.path());
    }
    std::sort(nodes.begin(), nodes.end());
    std::vector<std::filesystem::path> paths;
    for (auto& node : nodes) paths.push_back(std::move(node.second));
    return paths;
}

/// The link in `folder` that leads to `node`; empty when there is none.
std::string linkTo(const std::filesystem::path& node, const char* folder) {
    std::error_code failure;
    for (const auto& entry : std::filesystem::directory_iterator(folder, failure)) {
        // Not equivalent(): libstdc++ refuses to compare devices.
        if (std::filesystem::canonical(entry.path(), failure) == node) return entry.path();
    }
    return {};
}

/// The rate of the list to ask for: the slowest that reaches the wanted one, else the fastest; 0 of an empty
/// list.
double bestRate(const std::vector<double>& rates, double wanted) {
    double best = 0;
    for (const double rate : rates) {
        const bool better = reaches(best, wanted) ? reaches(rate, wanted) && rate < best : rate > best;
        if (better) best = rate;
    }
    return best;
}

std::vector<V4l2Choice> modesOf(const V4l2Device& device, double wantedRate) {
    std::vector<V4l2Choice> modes;
    for (const V4l2Format& format : device.formats) {
        for (const V4l2Size& entry : format.sizes) {
            modes.push_back({format.fourcc, entry.size, bestRate(entry.rates, wantedRate)});
        }
    }
    return modes;
}

/// Pixels; a driver may claim any size.
std::int64_t areaOf(Size size) {
    return std::int64_t{size.width} * size.height;
}

/// What is cheapest to work with comes first; nothing for what nothing here decodes.
std::optional<int> codingRank(const std::string& fourcc, Size size) {
    constexpr std::array<std::string_view, 9> kRaw{"NV12", "YU12", "YUYV", "UYVY", "YVYU",
                                                   "NV21", "YV12", "RGB3", "BGR3"};
    if (fourcc == "H264") return 0;
    // Raw pictures of that size fill a USB 2 bus.
    const bool big = areaOf(size) > areaOf({640, 480});
    if (fourcc == "MJPG" || fourcc == "JPEG") return big ? 1 : 3;
    if (std::find(kRaw.begin(), kRaw.end(), fourcc) != kRaw.end()) return 2;
    return std::nullopt;
}

/// Less is better, compared from the first field on.
struct Rank {
    bool tooSlow = true;
    bool tooLarge = true;
    std::int64_t areaCost = 0;
    double missedRate = 0;
    int coding = 0;
    double rate = 0;
    auto operator<=>(const Rank&) const = default;
};

Rank rankOf(const V4l2Choice& mode, Size wanted, double wantedRate) {
    const bool knownRate = mode.frameRate > 0;
    const std::int64_t area = areaOf(mode.size);
    Rank rank;
    rank.tooSlow = knownRate && !reaches(mode.frameRate, std::min(wantedRate, kSlowestVideo));
    rank.tooLarge = mode.size.width > wanted.width || mode.size.height > wanted.height;
    rank.areaCost = rank.tooLarge ? area : -area;
    rank.missedRate = !knownRate || reaches(mode.frameRate, wantedRate) ? 0 : wantedRate - mode.frameRate;
    rank.coding = codingRank(mode.fourcc, mode.size).value_or(4);
    rank.rate = mode.frameRate;
    return rank;
}

std::string fourccsOf(const V4l2Device& device) {
    std::string text;
    for (const V4l2Format& format : device.formats) text += (text.empty() ? "" : ", ") + format.fourcc;
    return text;
}

}  // namespace

Result<V4l2Device> introduceDevice(std::string path, const V4l2Control& control) {
    v4l2_capability capability{};
    if (control(VIDIOC_QUERYCAP, &capability) != 0) {
        return Error{path + ": not a video device (" + std::strerror(errno) + ")"};
    }
    // `capabilities` speaks of the whole device, `device_caps` of this node: a camera's metadata node
    // differs.
    const std::uint32_t abilities = (capability.capabilities & V4L2_CAP_DEVICE_CAPS) != 0
                                        ? capability.device_caps
                                        : capability.capabilities;
    if ((abilities & V4L2_CAP_VIDEO_CAPTURE) == 0) return Error{path + ": does not capture video"};
    V4l2Device device;
    device.path = std::move(path);
    device.name = textOf(capability.card);
    device.driver = textOf(capability.driver);
    device.bus = textOf(capability.bus_info);
    return device;
}

Result<V4l2Device> describeDevice(std::string path, const V4l2Control& control) {
    auto device = introduceDevice(std::move(path), control);
    if (device) device->formats = formatsOf(control);
    return device;
}

std::string inputTrouble(const V4l2Control& control) {
    int index = 0;
    if (control(VIDIOC_G_INPUT, &index) != 0) return {};
    v4l2_input input{};
    input.index = static_cast<std::uint32_t>(index);
    if (control(VIDIOC_ENUMINPUT, &input) != 0) return {};
    const char* trouble = nullptr;
    if ((input.status & V4L2_IN_ST_NO_POWER) != 0) {
        trouble = "no power at its input ";
    } else if ((input.status & V4L2_IN_ST_NO_SIGNAL) != 0) {
        trouble = "no signal at its input ";
    } else if ((input.status & V4L2_IN_ST_NO_SYNC) != 0) {
        trouble = "a signal that it cannot lock on to at its input ";
    }
    return trouble != nullptr ? trouble + edgecam::quoted(textOf(input.name)) : std::string();
}

std::vector<V4l2Device> presentDevices() {
    std::vector<V4l2Device> devices;
    for (const auto& node : videoNodes()) {
        const OpenDevice open(node);
        if (!open) continue;
        auto device = introduceDevice(
            node, [&open](unsigned long request, void* argument) { return open.control(request, argument); });
        if (!device) continue;
        const NodeFacts facts = factsOf(kVideoClass, node.filename());
        device->serial = facts.serial;
        device->index = facts.index;
        devices.push_back(*std::move(device));
    }
    return devices;
}

Result<std::vector<V4l2Device>> listDevices() {
    std::vector<V4l2Device> devices = presentDevices();
    for (V4l2Device& device : devices) {
        const OpenDevice open(device.path);
        if (open) {
            device.formats = formatsOf(
                [&open](unsigned long request, void* argument) { return open.control(request, argument); });
        }
        device.byId = linkTo(device.path, "/dev/v4l/by-id");
        device.byPath = linkTo(device.path, "/dev/v4l/by-path");
    }
    return devices;
}

Result<V4l2Choice> chooseFormat(const V4l2Device& device, const V4l2Wish& wish) {
    const Size size = wish.size.empty() ? kUsualSize : wish.size;
    const double rate = wish.frameRate > 0 ? wish.frameRate : kUsualRate;
    std::optional<V4l2Choice> best;
    Rank bestRank;
    for (const V4l2Choice& mode : modesOf(device, rate)) {
        if (wish.fourcc.empty() ? !codingRank(mode.fourcc, mode.size) : mode.fourcc != wish.fourcc) continue;
        const Rank rank = rankOf(mode, size, rate);
        if (best && !(rank < bestRank)) continue;
        best = mode;
        bestRank = rank;
    }
    if (best) return *best;
    const std::string offered = fourccsOf(device);
    if (offered.empty()) return Error{device.path + ": offers no picture format"};
    return Error{device.path + ": offers only " + offered + ", not " +
                 (wish.fourcc.empty() ? "a format that can be decoded" : wish.fourcc)};
}

}  // namespace edgecam::capture
