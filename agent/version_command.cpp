#include <gst/gst.h>
#include <libwebsockets.h>

#include <cstdio>
#include <opencv2/core/version.hpp>

#include "agent/commands.hpp"
#include "agent/version.hpp"

namespace edgecam::agent {

int versionCommand() {
    unsigned major = 0;
    unsigned minor = 0;
    unsigned micro = 0;
    unsigned nano = 0;
    gst_version(&major, &minor, &micro, &nano);
    std::printf("edgecam %s (GStreamer %u.%u.%u, OpenCV %s, libwebsockets %s)\n", kVersion, major, minor,
                micro, CV_VERSION, lws_get_library_version());
    return 0;
}

}  // namespace edgecam::agent
