#include "capture/known_device.hpp"

#include <algorithm>
#include <map>
#include <set>
#include <utility>

#include "base/log.hpp"

namespace edgecam::capture {
namespace {

/// All there are. A lock of one is taken under this one, never the other way.
struct Acquaintances {
    std::mutex mutex;
    std::set<const KnownDevice*> all;
    /// What was found last by each number of a config: a camera that is configured anew is no other one.
    std::map<std::string, DeviceIdentity> byLocation;
};

/// Never destroyed: a driver that hung may answer after main().
Acquaintances& acquaintances() {
    static auto& all = *new Acquaintances;
    return all;
}

/// "/dev/video3", which says where and not what.
bool isNumber(const std::string& location) {
    constexpr std::string_view kNode = "/dev/video";
    const auto digit = [](char c) { return c >= '0' && c <= '9'; };
    return location.starts_with(kNode) && location.size() > kNode.size() &&
           std::all_of(location.begin() + kNode.size(), location.end(), digit);
}

}  // namespace

KnownDevice::KnownDevice(const SourceUri& uri, Present present)
    : location_(uri.location), wanted_(uri.device), present_(std::move(present)), path_(uri.shown()) {
    Acquaintances& known = acquaintances();
    const std::lock_guard lock(known.mutex);
    known.all.insert(this);
    if (const auto before = known.byLocation.find(location_); before != known.byLocation.end())
        identity_ = before->second;
}

KnownDevice::~KnownDevice() {
    Acquaintances& known = acquaintances();
    const std::lock_guard lock(known.mutex);
    known.all.erase(this);
    if (identity_ && isNumber(location_)) known.byLocation[location_] = *identity_;
}

Result<std::string> KnownDevice::find() {
    auto found = look();
    const std::lock_guard lock(mutex_);
    warning_.clear();
    inputTrouble_.clear();
    if (!found) return found.error();
    if (found->path != path_) logInfo("capture", path_, ": found at ", found->path);
    path_ = found->path;
    warning_ = found->warning;
    // What only stands in for it does not become it, and while nothing is there it is not forgotten.
    if (found->identity && (warning_.empty() || !identity_)) identity_ = found->identity;
    return path_;
}

Result<FoundDevice> KnownDevice::look() const {
    if (location_.empty()) return findByIdentity(wanted_, remembered(), present_());
    if (isNumber(location_)) return findByNumber(location_, remembered(), present_(), othersRemember());
    return FoundDevice{.path = location_, .warning = {}, .identity = std::nullopt};
}

std::optional<DeviceIdentity> KnownDevice::remembered() const {
    const std::lock_guard lock(mutex_);
    return identity_;
}

std::vector<DeviceIdentity> KnownDevice::othersRemember() const {
    Acquaintances& known = acquaintances();
    const std::lock_guard lock(known.mutex);
    std::vector<DeviceIdentity> others;
    for (const KnownDevice* other : known.all) {
        if (other == this) continue;
        if (auto identity = other->remembered()) others.push_back(*std::move(identity));
    }
    return others;
}

std::string KnownDevice::path() const {
    const std::lock_guard lock(mutex_);
    return path_;
}

std::string KnownDevice::warning() const {
    const std::lock_guard lock(mutex_);
    return warning_;
}

void KnownDevice::setInputTrouble(const std::string& trouble) {
    const std::lock_guard lock(mutex_);
    inputTrouble_ = trouble;
}

std::string KnownDevice::inputTrouble() const {
    const std::lock_guard lock(mutex_);
    return inputTrouble_.empty() ? std::string() : concat(path_, ": ", inputTrouble_);
}

}  // namespace edgecam::capture
