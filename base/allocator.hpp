// One heap for all threads. glibc gives each thread one of its own, and gives memory back from those piece by
// piece: what one thread makes and another frees, as every picture is, then costs system calls and page
// faults for each viewer's share (a thousand viewers: a tenth of the processor time), and each heap keeps its
// rest.
#pragma once

#include <malloc.h>

namespace edgecam {

/// First thing in main(): before any other thread is.
inline void useOneHeap() {
#ifdef M_ARENA_MAX
    mallopt(M_ARENA_MAX, 1);
#endif
}

}  // namespace edgecam
