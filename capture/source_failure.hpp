// Why a source ended. A plain value.
#pragma once

#include <string>

namespace edgecam::capture {

struct SourceFailure {
    enum class Kind { ordinary, wrongCredentials };
    Kind kind = Kind::ordinary;
    std::string cause;  ///< a sentence; no credentials in it
};

}  // namespace edgecam::capture
