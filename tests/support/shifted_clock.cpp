// Preloaded into a program, sets its wall clock apart by so many seconds as the file EDGECAM_CLOCK_SHIFT
// says: 1970 and jumps, for one process and without root. The monotonic clock stays as it is, as on a real
// machine. With EDGECAM_CLOCK_SYNCED the kernel seems to say that the clock is disciplined, whatever this
// machine's is.
#include <dlfcn.h>
#include <fcntl.h>
#include <sys/time.h>
#include <sys/timex.h>
#include <unistd.h>

#include <cstdlib>
#include <ctime>

namespace {

/// Read every time: a test writes it while the program runs. No stdio and no allocation: anybody may ask for
/// the time anywhere.
long shift() {
    static const char* const path = std::getenv("EDGECAM_CLOCK_SHIFT");
    if (!path) return 0;
    const int file = ::open(path, O_RDONLY | O_CLOEXEC);
    if (file < 0) return 0;
    char text[32] = {};
    const auto size = ::read(file, text, sizeof text - 1);
    ::close(file);
    return size > 0 ? std::strtol(text, nullptr, 10) : 0;
}

}  // namespace

extern "C" {

int clock_gettime(clockid_t clock, timespec* now) noexcept {
    using Real = int (*)(clockid_t, timespec*);
    static const auto real = reinterpret_cast<Real>(dlsym(RTLD_NEXT, "clock_gettime"));
    const int result = real(clock, now);
    if (result == 0 && (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE)) now->tv_sec += shift();
    return result;
}

int adjtimex(timex* state) noexcept {
    using Real = int (*)(timex*);
    static const auto real = reinterpret_cast<Real>(dlsym(RTLD_NEXT, "adjtimex"));
    if (!std::getenv("EDGECAM_CLOCK_SYNCED") || state->modes != 0) return real(state);
    *state = {};
    return TIME_OK;
}

int gettimeofday(timeval* now, void*) noexcept {
    timespec precise{};
    clock_gettime(CLOCK_REALTIME, &precise);
    *now = {precise.tv_sec, precise.tv_nsec / 1000};
    return 0;
}

time_t time(time_t* out) noexcept {
    timespec now{};
    clock_gettime(CLOCK_REALTIME, &now);
    if (out) *out = now.tv_sec;
    return now.tv_sec;
}
}
