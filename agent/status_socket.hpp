// StatusSocket: a word from the running agent to whoever may read its data folder, for `edgecam status`:
// connect to a Unix socket there, read to the end. It knows nothing of what is said, takes no byte from who
// asks, and needs no token: the folder is the agent's own (0700).
#pragma once

#include <glib.h>

#include <functional>
#include <memory>
#include <string>

#include "base/result.hpp"

namespace edgecam::agent {

class StatusSocket {
  public:
    using Report = std::function<std::string()>;

    /// The socket's name in a data folder.
    static std::string pathIn(const std::string& dataDir);

    /// Listens at `path`, in place of what is left there of an earlier start. `report` is called on the main
    /// loop's thread, once for each who asks. Fails where no socket can be made, also for a path beyond the
    /// 107 bytes that the kernel takes (unix(7)).
    static Result<std::unique_ptr<StatusSocket>> open(const std::string& path, Report report);
    ~StatusSocket();  ///< takes the socket away
    StatusSocket(const StatusSocket&) = delete;
    StatusSocket& operator=(const StatusSocket&) = delete;

  private:
    StatusSocket(std::string path, int listening, Report report);
    static gboolean someoneAsks(gint listening, GIOCondition condition, gpointer self) noexcept;

    const std::string path_;
    const int listening_;
    const Report report_;
    guint watch_ = 0;
};

/// What an agent that runs says at `path`. Waits for it, 5 s at most; at most 4 MB. The error says whether
/// none runs.
Result<std::string> askForStatus(const std::string& path);

}  // namespace edgecam::agent
