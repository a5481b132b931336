// Holds one thread of another process still, as a driver that never answers would: hold_thread TID attaches
// to it with ptrace and stays until the thread is gone. Prints "held", then "gone".
#include <sys/ptrace.h>
#include <sys/wait.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>

int main(int count, char** arguments) {
    if (count != 2) {
        std::fprintf(stderr, "hold_thread TID\n");
        return 64;
    }
    const pid_t thread = std::atoi(arguments[1]);
    if (ptrace(PTRACE_SEIZE, thread, nullptr, nullptr) != 0 ||
        ptrace(PTRACE_INTERRUPT, thread, nullptr, nullptr) != 0) {
        std::perror("ptrace");
        return 1;
    }
    int status = 0;
    if (waitpid(thread, &status, __WALL) != thread || !WIFSTOPPED(status)) {
        std::fprintf(stderr, "it does not stop\n");
        return 1;
    }
    std::printf("held\n");
    std::fflush(stdout);
    // A thread that somebody traces stays until its tracer has taken note of its end, and its process with
    // it.
    do {
        if (waitpid(thread, &status, __WALL) < 0 && errno != EINTR) break;
    } while (!WIFEXITED(status) && !WIFSIGNALED(status));
    std::printf("gone\n");
    return 0;
}
