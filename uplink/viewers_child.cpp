#include "uplink/viewers_child.hpp"

#include <fcntl.h>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <thread>
#include <utility>

#include "base/clock.hpp"
#include "base/log.hpp"

namespace edgecam::uplink {
namespace {

// Its end of the pipe closes before it is quite gone.
constexpr Microseconds kEndsWithin = std::chrono::milliseconds(300);
constexpr Microseconds kLook = std::chrono::milliseconds(5);
constexpr int kAboveTheOthers = 64;  // descriptors on their way to their places

/// The end of a pair; closed when it is dropped.
class Descriptor {
  public:
    explicit Descriptor(int number) : number_(number) {}
    ~Descriptor() {
        if (number_ >= 0) close(number_);
    }
    Descriptor(Descriptor&& other) noexcept : number_(std::exchange(other.number_, -1)) {}
    Descriptor& operator=(Descriptor&&) = delete;
    [[nodiscard]] int get() const { return number_; }
    int release() { return std::exchange(number_, -1); }

  private:
    int number_;
};

}  // namespace

Result<int> ViewersChild::start(const ViewersProgram& program, int listener) {
    std::array<int, 2> pair{-1, -1};
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair.data()) != 0) {
        return Error{concat("no socket pair for the viewers' process: ", std::strerror(errno))};
    }
    Descriptor ours(pair[0]);
    const Descriptor theirs(pair[1]);
    // Out of the way first: one of them may stand where the other is to go.
    const Descriptor pipeEnd(fcntl(theirs.get(), F_DUPFD_CLOEXEC, kAboveTheOthers));
    const Descriptor listenEnd(fcntl(listener, F_DUPFD_CLOEXEC, kAboveTheOthers));
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, pipeEnd.get(), kViewersPipe);
    posix_spawn_file_actions_adddup2(&actions, listenEnd.get(), kViewersListener);
    std::vector<std::string> words{"edgecam"};
    words.insert(words.end(), program.arguments.begin(), program.arguments.end());
    std::vector<char*> argv;
    for (std::string& word : words) argv.push_back(word.data());
    argv.push_back(nullptr);
    const int failed = posix_spawn(&child_, program.path.c_str(), &actions, nullptr, argv.data(), environ);
    posix_spawn_file_actions_destroy(&actions);
    if (failed != 0) {
        child_ = -1;
        return Error{concat(program.path, " for the viewers' process: ", std::strerror(failed))};
    }
    return ours.release();
}

std::string ViewersChild::reap() {
    if (child_ <= 0) return "is gone";
    int status = 0;
    pid_t ended = 0;
    for (Microseconds waited{0}; ended == 0 && waited < kEndsWithin; waited += kLook) {
        ended = waitpid(child_, &status, WNOHANG);
        if (ended == 0) std::this_thread::sleep_for(kLook);
    }
    const bool byUs = ended == 0;
    if (byUs) {
        ::kill(child_, SIGKILL);
        waitpid(child_, &status, 0);
    }
    child_ = -1;
    if (byUs) return "did not end by itself";
    if (WIFSIGNALED(status)) {
        return concat("was ended by signal ", WTERMSIG(status), " (", strsignal(WTERMSIG(status)), ")");
    }
    return concat("ended with status ", WEXITSTATUS(status));
}

}  // namespace edgecam::uplink
