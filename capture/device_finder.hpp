// DeviceFinder: which of the cameras that are plugged in now is the one that a config means. Numbers change
// when a camera is plugged in again; what it is and where it hangs mostly do not. Pure.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "capture/device_identity.hpp"
#include "capture/v4l2_device.hpp"

namespace edgecam::capture {

struct FoundDevice {
    std::string path;                        ///< of the node to open
    std::string warning;                     ///< why it may be another than is meant; empty: it is the one
    std::optional<DeviceIdentity> identity;  ///< nothing: what that node is, is not known
};

/// For a camera that is named by a node's number. `remembered`: what was found there when it was opened
/// first; nothing: this is the first time, and the number holds. `others`: what the other cameras of the
/// config remember. It is looked for, in this order, by its serial (by the bus among those with the same),
/// without one by name and bus; then as the only one of that name and node, on whatever bus. Where several
/// are alike, the number decides, with a warning. Another camera at that number is taken, with a warning,
/// unless it is one of `others`: then this fails. A path that is none of `present` is given back, and to open
/// it says why.
Result<FoundDevice> findByNumber(const std::string& path, const std::optional<DeviceIdentity>& remembered,
                                 const std::vector<V4l2Device>& present,
                                 const std::vector<DeviceIdentity>& others);

/// For a camera that is named by what it is: every part of `wanted` that is not empty fits, its index is not
/// looked at. Of one camera's nodes the first one counts. Of several cameras the one that is `remembered`,
/// else the first, with a warning. Fails when none fits.
Result<FoundDevice> findByIdentity(const DeviceIdentity& wanted,
                                   const std::optional<DeviceIdentity>& remembered,
                                   const std::vector<V4l2Device>& present);

/// The source URI by which `device` is found again whatever its number becomes: by its serial, else by its
/// bus, else by a link of udev's; its path where it is like another in all of that, or nothing is known of
/// it.
std::string stableUri(const V4l2Device& device, const std::vector<V4l2Device>& present);

/// For sentences, and a URI that finds it: `v4l2:?serial=8A3F&bus=usb-1`.
std::string identityUri(const DeviceIdentity& wanted);

}  // namespace edgecam::capture
