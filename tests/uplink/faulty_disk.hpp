// FaultyDisk: a disk in memory that becomes SQLite's own while it lives. It can be full, read-only or broken,
// and its power can go between any two operations. What was synced is then there; of what was not, each write
// is there, lost or torn (in order: a disk writes what its cache holds, newer over older). Bytes beside a
// write stay whole, as SQLite expects of Linux' file systems (SQLITE_IOCAP_POWERSAFE_OVERWRITE).
// Deterministic by seed.
#pragma once

#include <sqlite3.h>

#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <random>
#include <string>
#include <vector>

#include "base/bytes.hpp"

namespace edgecam::test {

/// Thread-safe. Files must be closed before it goes. One at a time.
class FaultyDisk {
  public:
    explicit FaultyDisk(std::uint32_t seed = 1);
    ~FaultyDisk();
    FaultyDisk(const FaultyDisk&) = delete;
    FaultyDisk& operator=(const FaultyDisk&) = delete;

    /// All that would change something answers this SQLite code (SQLITE_FULL, _READONLY, _IOERR_FSYNC, ...)
    /// and does nothing; SQLITE_OK: healed.
    void failWith(int code);
    /// So many more changes and syncs take place, then nothing does, and everything fails.
    void cutPowerAfter(std::int64_t steps);
    [[nodiscard]] bool powerIsOut() const;
    /// Only when all files are closed.
    void powerReturns();

    [[nodiscard]] std::int64_t steps() const;  ///< changes and syncs so far
    [[nodiscard]] std::int64_t syncs() const;

  private:
    friend struct DiskCalls;
    struct Change {
        std::size_t at;
        ByteBuffer bytes;
        bool truncates;  ///< to `at`
    };
    struct File {
        std::string name;
        ByteBuffer content;
        ByteBuffer synced;
        std::vector<Change> unsynced;
    };
    using Folder = std::map<std::string, File*>;

    int step();  ///< SQLITE_OK if a change may take place. Under mutex_.
    static void apply(ByteBuffer& content, const Change& change);
    void survive(File& file);
    bool coin() { return random_() % 2 == 0; }

    mutable std::mutex mutex_;
    std::mt19937 random_;
    std::vector<std::unique_ptr<File>> files_;
    Folder folder_;        ///< as programs see it
    Folder syncedFolder_;  ///< as it is on the disk for certain
    int failure_ = SQLITE_OK;
    std::int64_t stepsLeft_ = -1;  ///< -1: for ever
    std::int64_t steps_ = 0;
    std::int64_t syncs_ = 0;
    sqlite3_vfs vfs_{};
    sqlite3_vfs* before_ = nullptr;
};

}  // namespace edgecam::test
