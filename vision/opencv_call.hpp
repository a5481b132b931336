// The border to OpenCV: its exceptions become errors here and nowhere else, and it is kept from writing to
// stderr.
#pragma once

#include <exception>
#include <opencv2/core.hpp>
#include <string>
#include <utility>

#include "base/result.hpp"

namespace edgecam::vision {

/// One line about what OpenCV threw: its reason and the function that gave up.
inline Error errorOf(const cv::Exception& thrown) {
    const std::string reason = thrown.err.substr(0, thrown.err.find('\n'));
    return Error{"OpenCV: " + reason + " (" + thrown.func + ")"};
}

/// Runs `work`, which returns a Result. What OpenCV throws on the way, or the allocator under it, is an
/// error.
template <class Work>
auto callOpenCv(Work&& work) -> decltype(std::forward<Work>(work)()) {
    try {
        return std::forward<Work>(work)();
    } catch (const cv::Exception& thrown) {
        return errorOf(thrown);
    } catch (const std::exception& thrown) {
        return Error{std::string("OpenCV: ") + thrown.what()};
    }
}

/// Process-wide, safe to repeat: one thread for OpenCV and no output of its own. One thread, because
/// a second one gained nothing for a network this small (measured), and OpenCV's pool spins while it waits.
void settleOpenCv();

}  // namespace edgecam::vision
