// Role: what a peer may be, from least to most. Only the words; what each may do is in access.cpp.
#pragma once

#include <optional>
#include <string_view>

namespace edgecam::uplink {

enum class Role { viewer, operator_, admin };
const char* nameOf(Role role);
std::optional<Role> roleNamed(std::string_view word);

}  // namespace edgecam::uplink
