#include "agent/libraries.hpp"

#include <gst/gst.h>
#include <libwebsockets.h>
#include <openssl/crypto.h>
#include <sqlite3.h>

#include <opencv2/core/version.hpp>

#include "base/log.hpp"

namespace edgecam::agent {

std::vector<std::pair<std::string, std::string>> libraryVersions() {
    unsigned major = 0;
    unsigned minor = 0;
    unsigned micro = 0;
    unsigned nano = 0;
    gst_version(&major, &minor, &micro, &nano);
    return {{"GStreamer", concat(major, ".", minor, ".", micro)},
            {"OpenCV", CV_VERSION},
            {"libwebsockets", lws_get_library_version()},
            {"OpenSSL", OpenSSL_version(OPENSSL_VERSION_STRING)},
            {"SQLite", sqlite3_libversion()},
            {"GLib", concat(glib_major_version, ".", glib_minor_version, ".", glib_micro_version)}};
}

}  // namespace edgecam::agent
