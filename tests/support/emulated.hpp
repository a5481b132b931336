// What a program cannot learn of a kernel through qemu-user, or do with it. The package's tests of other
// processors run so (docs/packaging.md); whoever has such a board runs them all.
#pragma once

#include <doctest/doctest.h>

#include <cstdlib>
#include <string>

namespace edgecam::test {

/// True, and said, under an emulator that knows no `what`: "TCP_INFO", say.
inline bool lacks(const char* what) {
    const bool emulated = std::getenv("EDGECAM_EMULATED") != nullptr;
    if (emulated) MESSAGE("skipped: the emulator has no ", std::string(what));
    return emulated;
}

}  // namespace edgecam::test
