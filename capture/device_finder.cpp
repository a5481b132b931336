#include "capture/device_finder.hpp"

#include <glib.h>

#include <algorithm>

#include "base/foreign_words.hpp"
#include "base/log.hpp"

namespace edgecam::capture {
namespace {

using Devices = std::vector<const V4l2Device*>;

template <class Fits>
Devices devicesThat(const std::vector<V4l2Device>& present, const Fits& fit) {
    Devices found;
    for (const V4l2Device& device : present) {
        if (fit(device)) found.push_back(&device);
    }
    return found;
}

const V4l2Device* at(const std::string& path, const Devices& devices) {
    const auto found = std::ranges::find(devices, path, &V4l2Device::path);
    return found == devices.end() ? nullptr : *found;
}

/// The same product and node of it. The name alone tells whether somebody put in another.
bool isAlike(const DeviceIdentity& one, const DeviceIdentity& other) {
    return one.name == other.name && one.serial == other.serial && one.index == other.index;
}

std::string pathsOf(const Devices& devices) {
    std::string text;
    for (const V4l2Device* device : devices) {
        text += concat(text.empty() ? "" : ", ", device->path, " (", device->bus, ")");
    }
    return text;
}

FoundDevice found(const V4l2Device& device, std::string warning = {}) {
    return {.path = device.path, .warning = std::move(warning), .identity = device};
}

/// Of several that are alike, the one with that number, else the first.
FoundDevice oneOf(const Devices& alike, const std::string& path) {
    const V4l2Device* numbered = at(path, alike);
    const V4l2Device& chosen = numbered != nullptr ? *numbered : *alike.front();
    if (alike.size() == 1) return found(chosen);
    return found(chosen, concat("it cannot be told from another camera: ", pathsOf(alike), " are alike; ",
                                chosen.path, " is taken, by its number"));
}

/// What was opened first, whatever its number is now.
Devices rememberedAmong(const DeviceIdentity& remembered, const std::vector<V4l2Device>& present) {
    Devices same = devicesThat(present, [&](const V4l2Device& device) {
        return isAlike(device, remembered) && (!remembered.serial.empty() || device.bus == remembered.bus);
    });
    // There are cameras that all have the same serial.
    if (same.size() < 2) return same;
    Devices here = devicesThat(present, [&](const V4l2Device& device) {
        return isAlike(device, remembered) && device.bus == remembered.bus;
    });
    return here.empty() ? same : here;
}

bool isAmong(const DeviceIdentity& device, const std::vector<DeviceIdentity>& others) {
    return std::ranges::find(others, device) != others.end();
}

std::string escaped(const std::string& text) {
    // What RFC 3986, section 3.4 allows in a query, without what separates its parts.
    g_autofree char* made = g_uri_escape_string(text.c_str(), "!$'()*,;:@/", FALSE);
    return made;
}

}  // namespace

Result<FoundDevice> findByNumber(const std::string& path, const std::optional<DeviceIdentity>& remembered,
                                 const std::vector<V4l2Device>& present,
                                 const std::vector<DeviceIdentity>& others) {
    const Devices all = devicesThat(present, [](const V4l2Device&) { return true; });
    const V4l2Device* here = at(path, all);
    const bool taken = here != nullptr && isAmong(*here, others);
    if (!remembered) {
        if (here == nullptr) return FoundDevice{.path = path, .warning = {}, .identity = std::nullopt};
        if (taken) return Error{path + ": not plugged in; what has this number now is another camera's"};
        return oneOf(rememberedAmong(*here, present), path);
    }
    if (const Devices same = rememberedAmong(*remembered, present); !same.empty()) return oneOf(same, path);
    const Devices moved = devicesThat(present, [&](const V4l2Device& device) {
        return isAlike(device, *remembered) && !isAmong(device, others);
    });
    if (!moved.empty()) return oneOf(moved, path);
    if (here == nullptr) return FoundDevice{.path = path, .warning = {}, .identity = std::nullopt};
    if (taken) return Error{path + ": not plugged in; what has this number now is another camera's"};
    return found(*here, concat(path, " is another camera than before: ", edgecam::quoted(here->name),
                               " and not ", edgecam::quoted(remembered->name)));
}

Result<FoundDevice> findByIdentity(const DeviceIdentity& wanted,
                                   const std::optional<DeviceIdentity>& remembered,
                                   const std::vector<V4l2Device>& present) {
    const auto fits = [](const std::string& part, const std::string& is) {
        return part.empty() || part == is;
    };
    Devices fitting = devicesThat(present, [&](const V4l2Device& device) {
        return fits(wanted.name, device.name) && fits(wanted.bus, device.bus) &&
               fits(wanted.serial, device.serial);
    });
    if (fitting.empty()) {
        return Error{concat("no camera that can be opened is ", identityUri(wanted), ": is it plugged in?")};
    }
    std::ranges::stable_sort(fitting, {}, &V4l2Device::index);
    // One camera's further nodes hang where its first does, and have other indices.
    Devices cameras;
    for (const V4l2Device* device : fitting) {
        const auto same = [&](const V4l2Device* other) {
            return other->bus == device->bus && other->index != device->index &&
                   other->name == device->name && other->serial == device->serial;
        };
        if (std::ranges::none_of(cameras, same)) cameras.push_back(device);
    }
    if (remembered) {
        const auto known =
            std::ranges::find_if(cameras, [&](const V4l2Device* device) { return *device == *remembered; });
        if (known != cameras.end()) std::rotate(cameras.begin(), known, known + 1);
    }
    if (cameras.size() == 1) return found(*cameras.front());
    return found(*cameras.front(), concat(cameras.size(), " cameras are ", identityUri(wanted), ": ",
                                          pathsOf(cameras), "; the first is taken, bus= tells them apart"));
}

std::string stableUri(const V4l2Device& device, const std::vector<V4l2Device>& present) {
    const auto isFoundBy = [&](const DeviceIdentity& wanted) {
        const auto result = findByIdentity(wanted, std::nullopt, present);
        return result && result->path == device.path && result->warning.empty();
    };
    const DeviceIdentity bySerial{.name = {}, .bus = {}, .serial = device.serial};
    if (!device.serial.empty() && isFoundBy(bySerial)) return identityUri(bySerial);
    const DeviceIdentity byBus{.name = {}, .bus = device.bus, .serial = {}};
    if (!device.bus.empty() && isFoundBy(byBus)) return identityUri(byBus);
    for (const std::string& link : {device.byPath, device.byId}) {
        if (!link.empty()) return "v4l2://" + link;
    }
    return "v4l2://" + device.path;
}

std::string identityUri(const DeviceIdentity& wanted) {
    std::string text = "v4l2:";
    const auto add = [&](const char* option, const std::string& value) {
        if (!value.empty()) text += concat(text.back() == ':' ? "?" : "&", option, "=", escaped(value));
    };
    add("serial", wanted.serial);
    add("name", wanted.name);
    add("bus", wanted.bus);
    return text;
}

}  // namespace edgecam::capture
