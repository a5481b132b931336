#include "tests/uplink/faulty_disk.hpp"

#include <algorithm>
#include <cstring>
#include <utility>

namespace edgecam::test {

/// SQLite's file system calls, which are C functions.
struct DiskCalls {
    struct OpenFile {
        sqlite3_file base;
        FaultyDisk* disk;
        FaultyDisk::File* file;
        bool goesWhenClosed;
        bool syncsFolder;
    };

    static OpenFile& of(sqlite3_file* file) { return *reinterpret_cast<OpenFile*>(file); }
    static FaultyDisk& of(sqlite3_vfs* vfs) { return *static_cast<FaultyDisk*>(vfs->pAppData); }

    static int open(sqlite3_vfs* vfs, const char* name, sqlite3_file* out, int flags, int* outFlags) {
        FaultyDisk& disk = of(vfs);
        const std::lock_guard lock(disk.mutex_);
        out->pMethods = nullptr;
        if (disk.stepsLeft_ == 0) return SQLITE_IOERR;
        const std::string path = name != nullptr ? name : "temporary-" + std::to_string(disk.files_.size());
        auto found = disk.folder_.find(path);
        const bool newLog =
            found == disk.folder_.end() && (flags & (SQLITE_OPEN_WAL | SQLITE_OPEN_MAIN_JOURNAL)) != 0;
        if (found == disk.folder_.end()) {
            if ((flags & SQLITE_OPEN_CREATE) == 0) return SQLITE_CANTOPEN;
            if (disk.failure_ != SQLITE_OK)
                return disk.failure_ == SQLITE_FULL ? SQLITE_FULL : SQLITE_CANTOPEN;
            disk.files_.push_back(std::make_unique<FaultyDisk::File>(FaultyDisk::File{path, {}, {}, {}}));
            found = disk.folder_.emplace(path, disk.files_.back().get()).first;
        }
        of(out) = {{methods()}, &disk, found->second, (flags & SQLITE_OPEN_DELETEONCLOSE) != 0, newLog};
        if (outFlags != nullptr) {
            *outFlags = disk.failure_ == SQLITE_READONLY
                            ? (flags & ~SQLITE_OPEN_READWRITE) | SQLITE_OPEN_READONLY
                            : flags;
        }
        return SQLITE_OK;
    }

    static int remove(sqlite3_vfs* vfs, const char* name, int syncFolder) {
        FaultyDisk& disk = of(vfs);
        const std::lock_guard lock(disk.mutex_);
        if (const int code = disk.step(); code != SQLITE_OK) return code;
        if (disk.folder_.erase(name) == 0) return SQLITE_IOERR_DELETE_NOENT;
        if (syncFolder != 0) disk.syncedFolder_.erase(name);
        return SQLITE_OK;
    }

    static int access(sqlite3_vfs* vfs, const char* name, int, int* out) {
        FaultyDisk& disk = of(vfs);
        const std::lock_guard lock(disk.mutex_);
        *out = disk.folder_.contains(name) ? 1 : 0;
        return SQLITE_OK;
    }

    static int fullPathname(sqlite3_vfs*, const char* name, int size, char* out) {
        sqlite3_snprintf(size, out, "%s", name);
        return SQLITE_OK;
    }

    static int randomness(sqlite3_vfs* vfs, int size, char* out) {
        FaultyDisk& disk = of(vfs);
        const std::lock_guard lock(disk.mutex_);
        std::generate_n(out, size, [&] { return static_cast<char>(disk.random_()); });
        return size;
    }

    static int close(sqlite3_file* file) {
        OpenFile& open = of(file);
        const std::lock_guard lock(open.disk->mutex_);
        if (open.goesWhenClosed) open.disk->folder_.erase(open.file->name);
        return SQLITE_OK;
    }

    static int read(sqlite3_file* file, void* out, int size, sqlite3_int64 at) {
        OpenFile& open = of(file);
        const std::lock_guard lock(open.disk->mutex_);
        if (open.disk->stepsLeft_ == 0) return SQLITE_IOERR_READ;
        const ByteBuffer& content = open.file->content;
        const auto from = std::min(content.size(), static_cast<std::size_t>(at));
        const auto count = std::min(content.size() - from, static_cast<std::size_t>(size));
        std::memset(out, 0, static_cast<std::size_t>(size));
        if (count > 0) std::memcpy(out, content.data() + from, count);
        return count == static_cast<std::size_t>(size) ? SQLITE_OK : SQLITE_IOERR_SHORT_READ;
    }

    static int change(sqlite3_file* file, FaultyDisk::Change change) {
        OpenFile& open = of(file);
        const std::lock_guard lock(open.disk->mutex_);
        if (const int code = open.disk->step(); code != SQLITE_OK) return code;
        FaultyDisk::apply(open.file->content, change);
        open.file->unsynced.push_back(std::move(change));
        return SQLITE_OK;
    }
    static int write(sqlite3_file* file, const void* bytes, int size, sqlite3_int64 at) {
        const auto* first = static_cast<const std::uint8_t*>(bytes);
        return change(file, {static_cast<std::size_t>(at), ByteBuffer(first, first + size), false});
    }
    static int truncate(sqlite3_file* file, sqlite3_int64 size) {
        return change(file, {static_cast<std::size_t>(size), {}, true});
    }

    static int sync(sqlite3_file* file, int) {
        OpenFile& open = of(file);
        const std::lock_guard lock(open.disk->mutex_);
        if (const int code = open.disk->step(); code != SQLITE_OK) return code;
        ++open.disk->syncs_;
        for (const FaultyDisk::Change& change : open.file->unsynced)
            FaultyDisk::apply(open.file->synced, change);
        open.file->unsynced.clear();
        // As SQLite's own calls do on Linux: the first sync of a new log syncs the folder as well.
        if (open.syncsFolder) open.disk->syncedFolder_ = open.disk->folder_;
        open.syncsFolder = false;
        open.disk->syncedFolder_[open.file->name] = open.file;
        return SQLITE_OK;
    }

    static int fileSize(sqlite3_file* file, sqlite3_int64* out) {
        OpenFile& open = of(file);
        const std::lock_guard lock(open.disk->mutex_);
        *out = static_cast<sqlite3_int64>(open.file->content.size());
        return SQLITE_OK;
    }

    static int lock(sqlite3_file*, int) { return SQLITE_OK; }
    static int reserved(sqlite3_file*, int* out) { return *out = 0; }
    static int control(sqlite3_file*, int, void*) { return SQLITE_NOTFOUND; }
    static int sectorSize(sqlite3_file*) { return 4096; }
    static int traits(sqlite3_file*) { return SQLITE_IOCAP_POWERSAFE_OVERWRITE; }
    static int sleep(sqlite3_vfs*, int) { return 0; }
    static int lastError(sqlite3_vfs*, int, char*) { return 0; }
    static int now(sqlite3_vfs*, double* out) {
        *out = 2'460'000;
        return SQLITE_OK;
    }

    static const sqlite3_io_methods* methods() {
        // Version 1: no shared memory, which only an exclusive journal does without.
        static const sqlite3_io_methods table = [] {
            sqlite3_io_methods made{};
            made.iVersion = 1;
            made.xClose = close;
            made.xRead = read;
            made.xWrite = write;
            made.xTruncate = truncate;
            made.xSync = sync;
            made.xFileSize = fileSize;
            made.xLock = lock;
            made.xUnlock = lock;
            made.xCheckReservedLock = reserved;
            made.xFileControl = control;
            made.xSectorSize = sectorSize;
            made.xDeviceCharacteristics = traits;
            return made;
        }();
        return &table;
    }
};

FaultyDisk::FaultyDisk(std::uint32_t seed) : random_(seed) {
    before_ = sqlite3_vfs_find(nullptr);
    vfs_.iVersion = 1;
    vfs_.szOsFile = sizeof(DiskCalls::OpenFile);
    vfs_.mxPathname = 1024;
    vfs_.zName = "faulty";
    vfs_.pAppData = this;
    vfs_.xOpen = DiskCalls::open;
    vfs_.xDelete = DiskCalls::remove;
    vfs_.xAccess = DiskCalls::access;
    vfs_.xFullPathname = DiskCalls::fullPathname;
    vfs_.xRandomness = DiskCalls::randomness;
    vfs_.xSleep = DiskCalls::sleep;
    vfs_.xCurrentTime = DiskCalls::now;
    vfs_.xGetLastError = DiskCalls::lastError;
    sqlite3_vfs_register(&vfs_, 1);
}

FaultyDisk::~FaultyDisk() {
    sqlite3_vfs_unregister(&vfs_);
    sqlite3_vfs_register(before_, 1);
}

void FaultyDisk::failWith(int code) {
    const std::lock_guard lock(mutex_);
    failure_ = code;
}

void FaultyDisk::cutPowerAfter(std::int64_t steps) {
    const std::lock_guard lock(mutex_);
    stepsLeft_ = steps;
}

bool FaultyDisk::powerIsOut() const {
    const std::lock_guard lock(mutex_);
    return stepsLeft_ == 0;
}

std::int64_t FaultyDisk::steps() const {
    const std::lock_guard lock(mutex_);
    return steps_;
}

std::int64_t FaultyDisk::syncs() const {
    const std::lock_guard lock(mutex_);
    return syncs_;
}

int FaultyDisk::step() {
    if (stepsLeft_ == 0) return SQLITE_IOERR;
    if (failure_ != SQLITE_OK) return failure_;
    if (stepsLeft_ > 0) --stepsLeft_;
    ++steps_;
    return SQLITE_OK;
}

void FaultyDisk::apply(ByteBuffer& content, const Change& change) {
    if (change.truncates) {
        content.resize(std::min(content.size(), change.at));
        return;
    }
    content.resize(std::max(content.size(), change.at + change.bytes.size()));
    std::copy(change.bytes.begin(), change.bytes.end(),
              content.begin() + static_cast<std::ptrdiff_t>(change.at));
}

void FaultyDisk::survive(File& file) {
    file.content = file.synced;
    for (Change& change : file.unsynced) {
        const bool lost = coin();
        if (lost) continue;
        if (!change.truncates && !change.bytes.empty() && coin()) {
            const std::size_t from = random_() % change.bytes.size();
            const std::size_t count = random_() % (change.bytes.size() - from) + 1;
            change.bytes = ByteBuffer(change.bytes.begin() + static_cast<std::ptrdiff_t>(from),
                                      change.bytes.begin() + static_cast<std::ptrdiff_t>(from + count));
            change.at += from;
        }
        apply(file.content, change);
    }
    file.synced = file.content;
    file.unsynced.clear();
}

void FaultyDisk::powerReturns() {
    const std::lock_guard lock(mutex_);
    Folder left;
    Folder names = folder_;
    names.insert(syncedFolder_.begin(), syncedFolder_.end());
    for (const auto& [name, ignored] : names) {
        const auto seen = folder_.find(name);
        const auto synced = syncedFolder_.find(name);
        // A name that was made or removed and not synced is there or not.
        const bool asSeen =
            (seen != folder_.end()) == (synced != syncedFolder_.end()) && seen->second == synced->second
                ? true
                : coin();
        File* file = asSeen ? (seen != folder_.end() ? seen->second : nullptr)
                            : (synced != syncedFolder_.end() ? synced->second : nullptr);
        if (file == nullptr) continue;
        survive(*file);
        left[name] = file;
    }
    folder_ = left;
    syncedFolder_ = left;
    stepsLeft_ = -1;
}

}  // namespace edgecam::test
