#include "uplink/openssl_handle.hpp"

#include <openssl/err.h>

namespace edgecam::uplink {

int noPassphrase(char* /*buffer*/, int /*size*/, int /*writing*/, void* /*user*/) {
    return 0;
}

std::string opensslTrouble() {
    const unsigned long code = ERR_get_error();
    const char* reason = code != 0 ? ERR_reason_error_string(code) : nullptr;
    ERR_clear_error();
    return reason != nullptr ? reason : "unknown trouble";
}

}  // namespace edgecam::uplink
