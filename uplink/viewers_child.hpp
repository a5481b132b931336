// ViewersChild: the process of the viewers, as a process: started with its end of a pair of sockets and with
// the listening socket, and seen to when it ends. It knows nothing of what is said over the pair.
#pragma once

#include <sys/types.h>

#include <string>
#include <vector>

#include "base/result.hpp"

namespace edgecam::uplink {

/// How to start the other process: it finds the pipe at descriptor kViewersPipe and the listening socket at
/// kViewersListener, and calls serveViewers().
struct ViewersProgram {
    std::string path = "/proc/self/exe";
    std::vector<std::string> arguments;  ///< without the name
};
inline constexpr int kViewersPipe = 3;
inline constexpr int kViewersListener = 4;

/// One at a time. Thread-bound.
class ViewersChild {
  public:
    /// Gives this side's end of the pair, a stream socket, which is the caller's to close. `listener`: a
    /// descriptor, which stays the caller's. The last one has been reaped.
    Result<int> start(const ViewersProgram& program, int listener);

    /// Waits up to 0.3 s for the child's end, then ends it; a phrase of how it came to it, as "ended with
    /// status 1".
    std::string reap();

  private:
    pid_t child_ = -1;
};

}  // namespace edgecam::uplink
