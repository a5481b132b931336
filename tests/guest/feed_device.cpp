// Plays a camera that codes by itself: writes files, each one picture (a JPEG, or an H.264 access unit), in
// turn and over again to a v4l2loopback device, at the given rate. feed_device DEVICE FOURCC WIDTH HEIGHT FPS
// FILE...
#include <fcntl.h>
#include <linux/videodev2.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <iterator>
#include <string>
#include <thread>
#include <vector>

namespace {

[[noreturn]] void giveUp(const std::string& what) {
    std::perror(what.c_str());
    std::exit(1);
}

std::string contents(const char* path) {
    std::ifstream file(path, std::ios::binary);
    if (!file) giveUp(path);
    return {std::istreambuf_iterator<char>(file), {}};
}

}  // namespace

int main(int count, char** arguments) {
    if (count < 7 || std::strlen(arguments[2]) != 4) {
        std::fprintf(stderr, "feed_device DEVICE FOURCC WIDTH HEIGHT FPS FILE...\n");
        return 64;
    }
    const char* fourcc = arguments[2];
    const auto rate = static_cast<unsigned>(std::atoi(arguments[5]));
    std::vector<std::string> pictures;
    for (int i = 6; i < count; ++i) pictures.push_back(contents(arguments[i]));

    const int device = open(arguments[1], O_RDWR);
    if (device < 0) giveUp(arguments[1]);
    // The driver finds out what it is at present only when it is asked.
    v4l2_capability capability{};
    if (ioctl(device, VIDIOC_QUERYCAP, &capability) != 0) giveUp("VIDIOC_QUERYCAP");
    v4l2_format format{};
    format.type = V4L2_BUF_TYPE_VIDEO_OUTPUT;
    auto& pixels = format.fmt.pix;
    pixels.width = static_cast<unsigned>(std::atoi(arguments[3]));
    pixels.height = static_cast<unsigned>(std::atoi(arguments[4]));
    pixels.pixelformat = v4l2_fourcc(fourcc[0], fourcc[1], fourcc[2], fourcc[3]);
    pixels.field = V4L2_FIELD_NONE;
    pixels.sizeimage = pixels.width * pixels.height * 2;
    if (ioctl(device, VIDIOC_S_FMT, &format) != 0) giveUp("VIDIOC_S_FMT");
    v4l2_streamparm timing{};
    timing.type = V4L2_BUF_TYPE_VIDEO_OUTPUT;
    timing.parm.output.timeperframe = {1, rate};
    if (ioctl(device, VIDIOC_S_PARM, &timing) != 0) giveUp("VIDIOC_S_PARM");
    // Not needed to write, but without it the driver would never again take a picture after this program.
    int type = V4L2_BUF_TYPE_VIDEO_OUTPUT;
    if (ioctl(device, VIDIOC_STREAMON, &type) != 0) giveUp("VIDIOC_STREAMON");

    auto due = std::chrono::steady_clock::now();
    for (std::size_t next = 0;; next = (next + 1) % pictures.size()) {
        const std::string& picture = pictures[next];
        if (write(device, picture.data(), picture.size()) < 0) giveUp("write");
        if (next == 0) std::printf("fed\n"), std::fflush(stdout);
        due += std::chrono::microseconds(1'000'000 / rate);
        std::this_thread::sleep_until(due);
    }
}
