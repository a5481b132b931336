#include "agent/status_socket.hpp"

#include <fcntl.h>
#include <glib-unix.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <utility>

#include "base/log.hpp"

namespace edgecam::agent {
namespace {

constexpr int kWaiting = 16;
constexpr int kPatienceSeconds = 5;
constexpr std::size_t kLongestReport = 4 << 20;

Result<sockaddr_un> addressOf(const std::string& path) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    if (path.size() >= sizeof(address.sun_path)) return Error{path + ": too long for the name of a socket"};
    std::memcpy(address.sun_path, path.c_str(), path.size() + 1);
    return address;
}

Error failed(const std::string& path) {
    return Error{path + ": " + std::strerror(errno)};
}

const sockaddr* generic(const sockaddr_un& address) {
    return reinterpret_cast<const sockaddr*>(&address);
}

/// Closed at the end of its scope.
class Descriptor {
  public:
    explicit Descriptor(int number) : number_(number) {}
    ~Descriptor() {
        if (number_ >= 0) close(number_);
    }
    Descriptor(const Descriptor&) = delete;
    Descriptor& operator=(const Descriptor&) = delete;

    [[nodiscard]] int get() const { return number_; }
    int release() { return std::exchange(number_, -1); }

  private:
    int number_;
};

}  // namespace

std::string StatusSocket::pathIn(const std::string& dataDir) {
    return dataDir + "/status.sock";
}

Result<std::unique_ptr<StatusSocket>> StatusSocket::open(const std::string& path, Report report) {
    const auto address = addressOf(path);
    if (!address) return address.error();
    Descriptor listening(socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
    if (listening.get() < 0) return failed(path);
    unlink(path.c_str());
    if (bind(listening.get(), generic(*address), sizeof(*address)) != 0) return failed(path);
    if (listen(listening.get(), kWaiting) != 0) return failed(path);
    return std::unique_ptr<StatusSocket>(new StatusSocket(path, listening.release(), std::move(report)));
}

StatusSocket::StatusSocket(std::string path, int listening, Report report)
    : path_(std::move(path)),
      listening_(listening),
      report_(std::move(report)),
      watch_(g_unix_fd_add(listening, G_IO_IN, someoneAsks, this)) {}

StatusSocket::~StatusSocket() {
    g_source_remove(watch_);
    close(listening_);
    unlink(path_.c_str());
}

gboolean StatusSocket::someoneAsks(gint listening, GIOCondition, gpointer self) noexcept {
    const Descriptor asking(accept4(listening, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC));
    if (asking.get() < 0) return G_SOURCE_CONTINUE;
    const std::string report = static_cast<StatusSocket*>(self)->report_();
    // A socket takes some 200 kB at once, a box says some kilobytes and one for each camera and line of its
    // log: nobody is waited for. Who gets less sees that the text does not end.
    const ssize_t sent = send(asking.get(), report.data(), report.size(), MSG_NOSIGNAL);
    if (sent != static_cast<ssize_t>(report.size()))
        logWarning("agent", "a status was not read: ", std::strerror(errno));
    return G_SOURCE_CONTINUE;
}

Result<std::string> askForStatus(const std::string& path) {
    const auto address = addressOf(path);
    if (!address) return address.error();
    const Descriptor asking(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
    if (asking.get() < 0) return failed(path);
    const timeval patience{.tv_sec = kPatienceSeconds, .tv_usec = 0};
    setsockopt(asking.get(), SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    setsockopt(asking.get(), SOL_SOCKET, SO_SNDTIMEO, &patience,
               sizeof patience);  // holds for connect as well
    if (connect(asking.get(), generic(*address), sizeof(*address)) != 0) {
        if (errno == ENOENT || errno == ECONNREFUSED)
            return Error{"no agent runs with this config (" + path + ")"};
        if (errno == EACCES)
            return Error{path + ": may be asked by root and by the user that runs the agent"};
        return failed(path);
    }
    std::string report;
    std::array<char, 16384> part{};
    while (report.size() < kLongestReport) {
        const ssize_t got = recv(asking.get(), part.data(), part.size(), 0);
        if (got == 0) return report;
        if (got < 0 && errno == EINTR) continue;
        if (got < 0)
            return Error{concat("the agent gave no answer within ", kPatienceSeconds,
                                " s: its main loop stands still")};
        report.append(part.data(), static_cast<std::size_t>(got));
    }
    return Error{"what answers at " + path + " is no agent"};
}

}  // namespace edgecam::agent
