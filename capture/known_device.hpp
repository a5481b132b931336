// KnownDevice: what one source knows of the V4L2 device that it is opened on, from one opening to the next:
// which it was, whether it may be another than is meant, and what is wrong with its input. Knows no pipeline.
#pragma once

#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "capture/device_finder.hpp"
#include "capture/source_uri.hpp"

namespace edgecam::capture {

/// Thread-safe. All of the process know of one another: what one remembers, no other takes for its own, and
/// one for the same number that comes after it remembers it too.
class KnownDevice {
  public:
    /// What is plugged in now. May block on each device.
    using Present = std::function<std::vector<V4l2Device>()>;

    /// `uri`: of a v4l2 source.
    explicit KnownDevice(const SourceUri& uri, Present present = presentDevices);
    ~KnownDevice();
    KnownDevice(const KnownDevice&) = delete;
    KnownDevice& operator=(const KnownDevice&) = delete;

    /// The node to open now, see findByNumber() and findByIdentity(); a link is given back as it is. Asks all
    /// devices of the machine who they are: may block on each.
    Result<std::string> find();
    /// What it found last; for sentences. Before that what the config says.
    [[nodiscard]] std::string path() const;
    /// Of the last find(): why it may be another device than is meant; empty: it is not.
    [[nodiscard]] std::string warning() const;

    /// What the driver says of its input, as inputTrouble().
    void setInputTrouble(const std::string& trouble);
    /// A sentence that names the device; empty: nothing is wrong, or nobody asked.
    [[nodiscard]] std::string inputTrouble() const;

  private:
    [[nodiscard]] Result<FoundDevice> look() const;
    [[nodiscard]] std::optional<DeviceIdentity> remembered() const;
    [[nodiscard]] std::vector<DeviceIdentity> othersRemember() const;

    const std::string location_;
    const DeviceIdentity wanted_;
    const Present present_;
    mutable std::mutex mutex_;  ///< guards what follows
    std::optional<DeviceIdentity> identity_;
    std::string path_;
    std::string warning_;
    std::string inputTrouble_;
};

}  // namespace edgecam::capture
