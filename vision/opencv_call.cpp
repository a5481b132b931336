#include "vision/opencv_call.hpp"

#include <opencv2/core/utility.hpp>
#include <opencv2/core/utils/logger.hpp>

namespace edgecam::vision {

namespace {
// The exception that follows says the same and is logged once, by whoever handles it.
int stayQuiet(int, const char*, const char*, const char*, int, void*) noexcept {
    return 0;
}
}  // namespace

void settleOpenCv() {
    cv::setNumThreads(1);
    cv::redirectError(stayQuiet);
    cv::utils::logging::setLogLevel(cv::utils::logging::LOG_LEVEL_SILENT);
}

}  // namespace edgecam::vision
