#include "agent/box_id.hpp"

#include <glib.h>
#include <systemd/sd-id128.h>

#include <array>

namespace edgecam::agent {
namespace {

// Random, made once for this program: changing it renames every box.
constexpr sd_id128_t kProgram =
    SD_ID128_ARRAY(5d, 1f, 0b, 7e, 9c, 3a, 4e, 62, 8f, 41, d6, 27, 90, ab, 13, c8);
constexpr std::size_t kDigits = 16;

std::string hostName() {
    std::string name = g_get_host_name();
    for (char& letter : name) {
        if (g_ascii_isalnum(letter) == 0 && letter != '-' && letter != '.' && letter != '_') letter = '-';
    }
    return name.empty() ? "edgecam" : name.substr(0, 64);
}

}  // namespace

std::string boxId() {
    sd_id128_t id{};
    if (sd_id128_get_machine_app_specific(kProgram, &id) < 0) return hostName();
    std::array<char, SD_ID128_STRING_MAX> digits{};
    sd_id128_to_string(id, digits.data());
    return "edgecam-" + std::string(digits.data(), kDigits);
}

}  // namespace edgecam::agent
