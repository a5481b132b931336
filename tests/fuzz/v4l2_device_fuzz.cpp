#include "capture/v4l2_device.hpp"

#include <linux/videodev2.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cmath>

#include "capture/gst.hpp"
#include "tests/fuzz/lines.hpp"

using namespace edgecam;

namespace {

std::string_view nextWord(std::string_view& rest) {
    const auto end = rest.find(' ');
    const auto word = rest.substr(0, end);
    rest = end == std::string_view::npos ? std::string_view() : rest.substr(end + 1);
    return word;
}

std::uint32_t nextNumber(std::string_view& rest) {
    const auto word = nextWord(rest);
    std::uint32_t value = 0;
    std::from_chars(word.data(), word.data() + word.size(), value);
    return value;
}

template <std::size_t N>
void fill(unsigned char (&field)[N], std::string_view text) {
    std::copy_n(text.begin(), std::min(N, text.size()), field);
}

/// Answers each question from the next line when that begins with the right word; else its list is over, as
/// it is with a line of "-".
class Device {
  public:
    explicit Device(std::string_view lines) : lines_(lines) {}

    int operator()(unsigned long request, void* argument) {
        switch (request) {
            case VIDIOC_QUERYCAP:
                return begin("device") ? answer(*static_cast<v4l2_capability*>(argument)) : over();
            case VIDIOC_ENUM_FMT:
                return begin("format") ? answer(*static_cast<v4l2_fmtdesc*>(argument)) : over();
            case VIDIOC_ENUM_FRAMESIZES:
                return begin("size") ? answer(*static_cast<v4l2_frmsizeenum*>(argument)) : over();
            case VIDIOC_ENUM_FRAMEINTERVALS:
                return begin("rate") ? answer(*static_cast<v4l2_frmivalenum*>(argument)) : over();
            case VIDIOC_G_INPUT:
                *static_cast<int*>(argument) = 0;
                return 0;
            case VIDIOC_ENUMINPUT:
                return begin("input") ? answer(*static_cast<v4l2_input*>(argument)) : over();
            default:
                __builtin_trap();
        }
    }

  private:
    static int over() {
        errno = EINVAL;
        return -1;
    }
    bool begin(std::string_view word) {
        std::string_view rest = lines_;
        std::string_view line = fuzz::nextLine(rest);
        const auto first = nextWord(line);
        if (first == word || first == "-") lines_ = rest;
        if (first != word) return false;
        line_ = line;
        return true;
    }
    int answer(v4l2_capability& into) {
        into.capabilities = nextNumber(line_);
        into.device_caps = nextNumber(line_);
        fill(into.driver, nextWord(line_));
        fill(into.bus_info, nextWord(line_));
        fill(into.card, line_);
        return 0;
    }
    int answer(v4l2_input& into) {
        into.status = nextNumber(line_);
        fill(into.name, line_);
        return 0;
    }
    int answer(v4l2_fmtdesc& into) {
        for (const char letter : line_.substr(0, 4))
            into.pixelformat = into.pixelformat << 8 | static_cast<unsigned char>(letter);
        into.pixelformat = __builtin_bswap32(into.pixelformat);
        fill(into.description, line_.substr(std::min<std::size_t>(5, line_.size())));
        return 0;
    }
    int answer(v4l2_frmsizeenum& into) {
        into.type = nextNumber(line_);
        for (auto* field : {&into.stepwise.min_width, &into.stepwise.max_width, &into.stepwise.step_width,
                            &into.stepwise.min_height, &into.stepwise.max_height, &into.stepwise.step_height})
            *field = nextNumber(line_);
        return 0;
    }
    int answer(v4l2_frmivalenum& into) {
        into.type = nextNumber(line_);
        for (auto* field : {&into.stepwise.min, &into.stepwise.max, &into.stepwise.step}) {
            field->numerator = nextNumber(line_);
            field->denominator = nextNumber(line_);
        }
        return 0;
    }

    std::string_view lines_;
    std::string_view line_;
};

void require(bool holds) {
    if (!holds) __builtin_trap();
}

void requirePlain(std::string_view text) {
    require(std::ranges::all_of(text, [](char c) { return c >= ' ' && c <= '~'; }));
}

void check(const capture::V4l2Device& device) {
    for (const auto& words : {device.name, device.driver, device.bus}) requirePlain(words);
    require(device.formats.size() <= 64);
    for (const auto& format : device.formats) {
        requirePlain(format.fourcc);
        requirePlain(format.description);
        require(format.sizes.size() <= 64);
        for (const auto& mode : format.sizes) {
            require(!mode.size.empty());
            require(std::ranges::is_sorted(mode.rates, std::greater<>()));
            for (const double rate : mode.rates) require(std::isfinite(rate) && rate > 0);
        }
    }
}

bool offers(const capture::V4l2Device& device, const capture::V4l2Choice& choice) {
    const auto has = [&](const capture::V4l2Size& mode) {
        const bool rate =
            mode.rates.empty() ? choice.frameRate == 0 : std::ranges::count(mode.rates, choice.frameRate) > 0;
        return mode.size == choice.size && rate;
    };
    return std::ranges::any_of(device.formats, [&](const capture::V4l2Format& format) {
        return format.fourcc == choice.fourcc && std::ranges::any_of(format.sizes, has);
    });
}

}  // namespace

// What a device or its driver answers. Words are fit for a terminal and for JSON, and what is chosen is what
// was offered.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    Device answers(fuzz::textOf(data, size));
    const auto control = [&](unsigned long request, void* argument) { return answers(request, argument); };
    requirePlain(capture::inputTrouble(control));  // where it begins with an "input"
    const auto device = capture::describeDevice("/dev/video0", control);
    if (!device) {
        require(!device.error().message.empty());
        return 0;
    }
    check(*device);
    for (const capture::V4l2Wish& wish :
         {capture::V4l2Wish{}, capture::V4l2Wish{{1920, 1080}, 15, {}}, capture::V4l2Wish{{}, 0, "MJPG"}}) {
        const auto choice = chooseFormat(*device, wish);
        if (!choice) {
            requirePlain(choice.error().message);
            continue;
        }
        require(offers(*device, *choice));
        require(wish.fourcc.empty() || choice->fourcc == wish.fourcc);
        const auto rate = capture::fractionOf(choice->frameRate);
        require(rate.numerator >= 0 && rate.denominator > 0);
    }
    return 0;
}
