// BoxId: what a box calls itself that was given no name.
#pragma once

#include <string>

namespace edgecam::agent {

/// "edgecam-" and 16 hexadecimal digits of a hash of the machine id and of this program
/// (sd_id128_get_machine_app_specific(3)): the same in every start, another on every machine, also where all
/// were made from one image and have one host name; the machine id itself, which is nobody's business, cannot
/// be had from it. A machine without an id: the host name, with dashes for what an id may not have.
std::string boxId();

}  // namespace edgecam::agent
