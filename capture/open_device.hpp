// OpenDevice: a V4L2 node that is open to be asked, and closed again.
#pragma once

#include <fcntl.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <cerrno>
#include <string>

namespace edgecam::capture {

class OpenDevice {
  public:
    // Without O_NONBLOCK some drivers wait in open() for the sensor.
    explicit OpenDevice(const std::string& path)
        : file_(::open(path.c_str(), O_RDWR | O_NONBLOCK | O_CLOEXEC)) {}
    ~OpenDevice() {
        if (file_ >= 0) ::close(file_);
    }
    OpenDevice(const OpenDevice&) = delete;
    OpenDevice& operator=(const OpenDevice&) = delete;

    /// False: it could not be opened, and errno said why.
    explicit operator bool() const { return file_ >= 0; }
    /// ioctl(2): 0, or -1 with errno.
    int control(unsigned long request, void* argument) const { return controlOf(file_, request, argument); }

    /// The same for a descriptor that is somebody else's.
    static int controlOf(int file, unsigned long request, void* argument) {
        constexpr int kMostInterruptions = 10;
        int answer = -1;
        for (int i = 0; i < kMostInterruptions; ++i) {
            answer = ::ioctl(file, request, argument);
            if (answer == 0 || errno != EINTR) break;
        }
        return answer;
    }

  private:
    int file_;
};

}  // namespace edgecam::capture
